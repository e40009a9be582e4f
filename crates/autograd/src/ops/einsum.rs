//! Products of two variables, written with letters for axes.

use macula_tensor::shape::Sizes;
use macula_tensor::{Error, Float, Result};

use crate::var::Var;

const OP: &str = "einsum";

impl<T: Float> Var<T> {
    /// The product of two variables, summed over the letters that are not in the result: in
    /// `"bij,bjk->bik"` each letter is an axis, those of the result stand after the arrow.
    ///
    /// A letter in both variables and in the result pairs their slices, one in both but not in the
    /// result is multiplied out as in a matrix product, and one in a single variable that is not
    /// in the result is summed. It is one matrix product of the last two of three axes: pairs,
    /// own letters, letters to sum.
    ///
    /// # Errors
    /// The equation must name each axis of the variables once, the sizes of a letter must agree,
    /// and the result may name only letters that are there.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_autograd::Tape;
    /// use macula_tensor::Tensor;
    ///
    /// let tape = Tape::new();
    /// let rows = tape.constant(Tensor::from([[1.0_f32, 2.0], [3.0, 4.0]]));
    /// let squares = rows.einsum("ij,ij->i", &rows)?;
    /// assert_eq!(squares.value().to_vec()?, [5.0, 25.0]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    #[track_caller]
    pub fn einsum(&self, equation: &str, other: &Self) -> Result<Self> {
        let parsed = equation
            .split_once("->")
            .and_then(|(inputs, output)| Some((inputs.split_once(',')?, output)));
        let Some(((left, right), output)) = parsed else {
            return Err(malformed(equation, "of the form ij,jk->ik"));
        };
        let [left, right, output] = [left, right, output].map(|part| part.trim().as_bytes());
        for (letters, rank) in [(left, self.rank()), (right, other.rank())] {
            if letters.len() != rank {
                return Err(malformed(equation, "one with a letter for each axis"));
            }
        }
        let twice = |letters: &[u8]| (1..letters.len()).any(|k| letters[..k].contains(&letters[k]));
        let unknown = |letter: &u8| !left.contains(letter) && !right.contains(letter);
        if [left, right, output].into_iter().any(twice) || output.iter().any(unknown) {
            return Err(malformed(
                equation,
                "one that names each letter once in a part",
            ));
        }
        for (letter, &size) in left.iter().zip(self.shape()) {
            let axis = right.iter().position(|x| x == letter);
            if axis.is_some_and(|axis| other.shape()[axis] != size) {
                return Err(Error::InnerSizes {
                    op: OP,
                    left: Sizes::from_slice(self.shape()),
                    right: Sizes::from_slice(other.shape()),
                });
            }
        }
        let letters = |of: &[u8], belongs: &dyn Fn(&u8) -> bool| -> Vec<u8> {
            of.iter()
                .copied()
                .filter(|letter| belongs(letter))
                .collect()
        };
        let in_output = |letter: &u8| output.contains(letter);
        let pairs = letters(left, &|x| right.contains(x) && in_output(x));
        let summed = letters(left, &|x| right.contains(x) && !in_output(x));
        let [own_left, own_right] = [(left, right), (right, left)]
            .map(|(of, other)| letters(of, &|x| !other.contains(x) && in_output(x)));

        let a = self.grouped(left, [&pairs, &own_left, &summed])?;
        let b = other.grouped(right, [&pairs, &summed, &own_right])?;
        let product = a.matmul(&b)?;

        let order = [pairs, own_left, own_right].concat();
        let size = |letter: &u8| match left.iter().position(|x| x == letter) {
            Some(axis) => self.shape()[axis],
            None => right
                .iter()
                .position(|x| x == letter)
                .map_or(1, |axis| other.shape()[axis]),
        };
        let sizes: Sizes = order.iter().map(size).collect();
        product.reshape(sizes)?.permute(places(&order, output))
    }

    /// The variable with its axes in three groups, each of which becomes one axis; axes of no
    /// group are summed.
    #[track_caller]
    fn grouped(&self, letters: &[u8], groups: [&[u8]; 3]) -> Result<Self> {
        let order = groups.concat();
        let dropped: Vec<isize> = (0..)
            .zip(letters)
            .filter_map(|(axis, letter)| (!order.contains(letter)).then_some(axis))
            .collect();
        let kept: Vec<u8> = letters
            .iter()
            .copied()
            .filter(|x| order.contains(x))
            .collect();
        let summed = match dropped.is_empty() {
            true => self.clone(),
            false => self.sum(&dropped[..])?,
        };
        let sorted = summed.permute(places(&kept, &order))?;
        let mut sizes = sorted.shape().iter();
        let grouped = groups.map(|group| sizes.by_ref().take(group.len()).product::<usize>());
        sorted.reshape(grouped)
    }
}

/// Where each letter of `wanted` stands in `letters`.
fn places(letters: &[u8], wanted: &[u8]) -> Vec<isize> {
    let place = |letter| letters.iter().position(|x| x == letter);
    let places = wanted.iter().filter_map(place);
    places.map(|place| place as isize).collect()
}

fn malformed(equation: &str, expected: &str) -> Error {
    Error::Argument {
        op: OP,
        argument: "equation",
        expected: expected.into(),
        found: format!("{equation:?}"),
    }
}
