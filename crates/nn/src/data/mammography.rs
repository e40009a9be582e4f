//! The data set that comes with the crate: microcalcifications in mammograms.

use macula_tensor::Result;

use super::csv::{CsvReader, parse_rows};
use super::dataset::Dataset;
use super::tensor_dataset::TensorDataset;

/// 11,183 spots cut from digitised mammograms, 2.32% of them microcalcifications (class 1), an
/// early sign of breast cancer.
///
/// Each spot has 6 features (size, grey level, gradient, noise, contrast, shape), already
/// standardised over the whole set. 3,334 rows are exact copies of an earlier one, so parts of a
/// split share rows; the data are kept as they are distributed. Not fit for clinical use.
///
/// # Errors
/// None: the rows are part of the program. The `Result` is that of the reader.
///
/// # Source
/// K. Woods, C. Doss, K. Bowyer, J. Solka, C. Priebe and P. Kegelmeyer, "Comparative evaluation of
/// pattern recognition techniques for detection of microcalcifications in mammography",
/// International Journal of Pattern Recognition and Artificial Intelligence 7(6), 1993,
/// 1417–1436. OpenML data set 310.
///
/// # Example
///
/// ```
/// use macula_nn::data::{Dataset, mammography};
///
/// let data = mammography()?;
/// assert_eq!(data.inputs().shape(), [11183, 6]);
/// # Ok::<(), macula_tensor::Error>(())
/// ```
pub fn mammography() -> Result<TensorDataset> {
    let text = include_str!("../../data/mammography/mammography.csv");
    CsvReader::new("class").parse(text, "mammography.csv")
}

/// [`mammography`] in two parts: 7,828 rows to train with (182 of class 1) and 3,355 to test with
/// (78 of class 1).
///
/// The split was made once, stratified, and is part of the crate, so that results can be compared.
///
/// # Errors
/// None, as for [`mammography`].
pub fn mammography_split() -> Result<(TensorDataset, TensorDataset)> {
    let data = mammography()?;
    let text = include_str!("../../data/mammography/test_rows.txt");
    let test_rows = parse_rows(text, "test_rows.txt", data.len())?;
    data.split_at_rows(&test_rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_have_the_rows_of_their_description() {
        let (train, test) = mammography_split().unwrap();
        let counts = |data: &TensorDataset| {
            let ones = data.labels().iter().filter(|&&label| label == 1).count();
            (data.len(), ones)
        };
        assert_eq!(counts(&train), (7828, 182));
        assert_eq!(counts(&test), (3355, 78));
        assert_eq!(train.features()[5], "attr6");
        assert_eq!(train.classes(), ["0", "1"]);
        let first = test.inputs().to_vec().unwrap();
        assert_eq!(first[..2], [0.23001961, 5.0725783], "row 0 is a test row");
    }
}
