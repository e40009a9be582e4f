//! The same bits for 1, 2, 3 and 8 threads, for the operations that share their work.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use macula_tensor::ops::apply::chain;
use macula_tensor::ops::pointwise::{Mul, Square, Tanh};
use macula_tensor::pointwise::Derived;
use macula_tensor::{
    Convolution, Element, Float, Norm, Pointwise, Pooling, Result, Rng, Slice, Tensor,
};

/// What came out, as text that tells every bit.
fn bits<T: Element>(results: &[Result<Tensor<T>>]) -> Vec<String> {
    let bits = |x: &Result<Tensor<T>>| {
        let x = x.as_ref().unwrap();
        let bits = x.to_vec().unwrap().into_iter().fold(0_u64, |bits, x| {
            // The shortest text that stands for a number stands for no other.
            let text = format!("{x:?}");
            let digits = text.bytes().map(u64::from);
            digits.fold(bits, |bits, digit| {
                (bits ^ digit).wrapping_mul(0x0100_0000_01B3)
            })
        });
        format!("{:?} {bits:x}", x.shape())
    };
    results.iter().map(bits).collect()
}

/// `formula` of `x` times `seed`.
fn chained<T: Float, F: Pointwise<1>>(
    formula: &Derived<F>,
    x: &Tensor<T>,
    seed: &Tensor<T>,
) -> Result<Tensor<T>> {
    let mut product = seed.clone();
    chain(formula, [x], &mut product)?;
    Ok(product)
}

/// Everything on floats, on tensors large enough to be shared out.
fn floats<T: Float + macula_tensor::random::RandomFloat>() -> Vec<String> {
    let mut rng = Rng::seed(5);
    let x = Tensor::<T>::normal([301, 257], 0.0, 1.0, &mut rng).unwrap();
    let long = Tensor::<T>::normal([140_001], 0.0, 1.0, &mut rng).unwrap();
    let turned = x.transpose(0, 1).unwrap();
    let backwards = x.slice(1, Slice::from(..).step(-1)).unwrap();
    let row = x.narrow(0, 0, 1).unwrap();
    let mask = x.gt(&row).unwrap();
    let index = Tensor::<i64>::integers([301, 257], 0, 301, &mut rng).unwrap();
    let of_row = Tensor::<i64>::integers([301, 257], 0, 257, &mut rng).unwrap();
    let places = index.narrow(1, 0, 1).unwrap().flatten().unwrap();
    let batch = Tensor::<T>::normal([37, 20, 41], 0.0, 1.0, &mut rng).unwrap();
    let columns = batch.transpose(1, 2).unwrap();
    let tall = Tensor::<T>::normal([8193, 70], 0.0, 1.0, &mut rng).unwrap();
    let slope = Derived::new(Tanh).differentiate(0);
    let mut results = bits(&[
        // Random numbers.
        Ok(long.clone()),
        Tensor::<T>::uniform([140_001], -1.0, 1.0, &mut rng),
        // Pointwise: contiguous, strided, broadcast, slopes.
        long.exp(),
        x.add(&backwards),
        x.mul(&row),
        turned.div(&turned.square().unwrap()),
        chained(&slope, &x, &backwards),
        // Copies and choices.
        turned.contiguous(),
        Tensor::select(&mask, &x, &backwards),
        x.masked_fill(&mask, T::from_f64(2.0)),
        Tensor::concatenate(&[&x, &backwards], 1),
        x.pad([(1, 2), (3, 4)], T::from_f64(0.5)),
        x.roll(7, 1),
        x.repeat([2, 1]),
        turned.tril(3),
        Tensor::eye(401),
        x.masked_select(&mask),
        x.unfold(1, 5, 2).and_then(|windows| windows.contiguous()),
        Tensor::stack(&[&x, &backwards], 1),
        Tensor::<T>::arange(0.0, 1.0, 5e-6),
        Tensor::linspace(0.0, 1.0, 140_001),
        // By index.
        x.index_select(0, &places),
        x.gather(0, &index),
        x.gather(1, &of_row),
        long.gather(0, &index.flatten().unwrap()),
        x.scatter_add(0, &index, &x),
        x.scatter_add(1, &of_row, &x),
        x.index_add(0, &places, &backwards),
        // Reductions: all, long axes, short ones, strided.
        long.sum(..),
        x.mean(0),
        turned.var(0, 1),
        x.prod(1),
        backwards.amax(0),
        x.norm(Norm::L2, 1),
        long.norm(Norm::P(3.0), ..),
        long.map_sum(Square, ..),
        x.zip_sum(&backwards, Mul, 0),
        long.zip_sum(&long, Mul, ..),
        long.logsumexp(0),
        x.sum_to([1, 257]),
        // Lines.
        x.softmax(0),
        x.log_softmax(1),
        x.cumsum(0),
        x.cumprod(1),
        x.recurrence(&backwards, 0),
        x.cummax(1).map(|both| both.0),
        long.cumsum(0),
        turned.softmax(1),
        turned.log_softmax(0),
        // Order.
        long.sort(0, true).map(|both| both.0),
        x.topk(5, 0, true).map(|both| both.0),
        x.median(1).map(|both| both.0),
        x.kthvalue(40, 0).map(|both| both.0),
        turned.sort(1, false).map(|both| both.0),
        long.unique().map(|unique| unique.values),
        // Products: square, tall, of a vector, in batches, with a bias.
        x.matmul(&turned),
        turned.matmul(&backwards),
        long.dot(&long),
        batch.matmul(&columns),
        tall.matmul(&x.narrow(1, 0, 1).unwrap().narrow(0, 0, 70).unwrap()),
        x.linear(&backwards, None),
        x.linear_map(&backwards, None, Tanh),
        long.narrow(0, 0, 401).and_then(|some| some.outer(&some)),
    ]);
    results.extend(images::<T>(&mut rng));
    let tall = Tensor::<T>::normal([2001, 57], 0.0, 1.0, &mut rng).unwrap();
    results.extend(bits(&[
        tall.argmax(0),
        x.argmax(0),
        x.argmin(1),
        long.argmax(..),
        long.argsort(0, false),
        x.count_nonzero(1),
        mask.nonzero(),
        mask.flatten().and_then(|mask| mask.nonzero()),
        x.cummax(0).map(|both| both.1),
        long.sort(0, false).map(|both| both.1),
        long.sort(0, false)
            .and_then(|both| both.0.searchsorted(&x, true)),
    ]));
    results.extend(bits(&[x.lt(&backwards), turned.is_finite(), mask.any(0)]));
    results.push(format!("{:?}", long.all_finite()));
    let mut updated = long.clone();
    updated.add_assign(&long).unwrap();
    results.extend(bits(&[Ok(updated)]));
    results
}

/// Convolutions and poolings, with their gradients.
fn images<T: Float + macula_tensor::random::RandomFloat>(rng: &mut Rng) -> Vec<String> {
    let x = Tensor::<T>::normal([24, 6, 31, 29], 0.0, 1.0, rng).unwrap();
    let w = Tensor::<T>::normal([20, 3, 3, 5], 0.0, 1.0, rng).unwrap();
    let settings = Convolution::new().stride([2, 1]).padding(1).groups(2);
    let y = x.conv2d(&w, None, &settings).unwrap();
    let x_gradient = y.conv_input_gradient(&w, [31, 29], &settings);
    let w_gradient = y.conv_weight_gradient(&x, [3, 5], &settings);

    let planes = Tensor::<T>::normal([40, 3, 61, 59], 0.0, 1.0, rng).unwrap();
    let pooling = Pooling::new(3).stride(2).padding(1);
    let (largest, places) = planes.max_pool2d(&pooling).unwrap();
    let means = planes.avg_pool2d(&pooling).unwrap();
    let spread = means.avg_pool_gradient([61, 59], &pooling);
    let upstream = y.narrow(0, 0, 7).unwrap();
    let transposed = upstream.conv_transpose2d(&w, None, &settings, 0);
    let lines = Tensor::<T>::normal([30, 6, 901], 0.0, 1.0, rng).unwrap();
    let kernel = Tensor::<T>::normal([11, 6, 7], 0.0, 1.0, rng).unwrap();
    let dilated = Convolution::new().padding(3).dilation(2);
    let filtered = lines.conv1d(&kernel, None, &dilated).unwrap();
    let (adaptive, chosen) = planes.adaptive_max_pool2d([9, 7]).unwrap();
    let floats = bits(&[
        Ok(y),
        x_gradient,
        w_gradient,
        Ok(largest),
        Ok(means),
        spread,
        transposed,
        filtered.conv_input_gradient(&kernel, [901], &dilated),
        filtered.conv_weight_gradient(&lines, [7], &dilated),
        Ok(filtered),
        Ok(adaptive),
        planes.adaptive_avg_pool2d([9, 7]),
        planes.upsample_nearest2d([2, 3]),
    ]);
    [floats, bits(&[Ok(places), Ok(chosen)])].concat()
}

/// The same for integers.
fn integers() -> Vec<String> {
    let mut rng = Rng::seed(6);
    let x = Tensor::<i64>::integers([301, 257], -50, 50, &mut rng).unwrap();
    let turned = x.transpose(0, 1).unwrap();
    let mut results = bits(&[
        Tensor::permutation(100_001, &mut rng),
        x.add(&x.narrow(1, 0, 1).unwrap()),
        turned.mul(&turned),
        turned.contiguous(),
        turned.sum(1),
        x.amax(0),
        x.cumsum(1),
        x.sort(0, false).map(|both| both.1),
        x.abs().and_then(|x| x.bincount(0)),
        x.cumprod(0),
        x.unique().map(|unique| unique.inverse),
        x.scatter_add(
            0,
            &x.abs().unwrap(),
            &turned.contiguous().unwrap().reshape([301, 257]).unwrap(),
        ),
        Tensor::<i64>::arange(0, 200_001, 1),
    ]);
    results.extend(bits(&[
        x.cast::<f32>(),
        x.abs().and_then(|x| x.one_hot(51)),
    ]));
    results.extend(bits(&[Tensor::bernoulli([100_001], 0.3, &mut rng)]));
    results
}

#[test]
fn every_operation_gives_the_same_bits_on_any_number_of_threads() {
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let all = || [floats::<f32>(), floats::<f64>(), integers()].concat();
        pool.build().unwrap().install(all)
    };
    let single = run(1);
    for threads in [2, 3, 8] {
        for (number, (found, wanted)) in run(threads).iter().zip(&single).enumerate() {
            assert_eq!(found, wanted, "result {number} on {threads} threads");
        }
    }
}
