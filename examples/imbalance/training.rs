//! One run: a loss and a seed, from the rows to two reports.

use macula::prelude::*;

use crate::rows::Rows;

const BATCH: usize = 256;
const LEARNING_RATE: f64 = 1e-3;
/// Share of the training rows that the threshold is not chosen by.
const FITTING_SHARE: f64 = 0.8;

/// A loss under its name in the table.
pub(crate) struct Contender {
    pub(crate) name: String,
    loss: Box<dyn Fn(&Var, &Tensor<i64>) -> Result<Var> + Send + Sync>,
}

impl Contender {
    pub(crate) fn new(
        name: impl Into<String>,
        loss: impl Fn(&Var, &Tensor<i64>) -> Result<Var> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            loss: Box::new(loss),
        }
    }
}

/// What one loss came to with each seed.
pub(crate) struct Results {
    pub(crate) name: String,
    pub(crate) runs: Vec<Run>,
}

/// What one model came to.
pub(crate) struct Run {
    /// Logits of the test rows.
    pub(crate) logits: Tensor,
    /// The test rows, decided at probability 0.5.
    pub(crate) at_half: BinaryReport,
    /// The test rows, decided at a threshold that other rows chose.
    pub(crate) at_chosen: BinaryReport,
    /// Loss of each epoch on the rows that were trained with, and on the validation rows.
    pub(crate) training_loss: Vec<f64>,
    pub(crate) validation_loss: Vec<f64>,
}

/// A run trains two: see [`run`].
pub(crate) const MODELS_PER_RUN: usize = 2;

/// Trains with one loss from one seed, and looks at the test rows once.
///
/// The model that is tested has seen all training rows. A threshold, though, must come from rows
/// that its model has not seen, so a twin that is trained without a fifth of them lends its own.
pub(crate) fn run(
    contender: &Contender,
    rows: &Rows,
    seed: u64,
    epochs: usize,
    tick: impl Fn(),
) -> Result<Run> {
    let mut rng = Rng::seed(seed).stream(1);
    let (fitting, validation) = rows.train.stratified_split(FITTING_SHARE, &mut rng)?;
    let mut training_loss = Vec::new();
    let mut validation_loss = Vec::new();
    let twin = train(contender, &fitting, seed, epochs, |twin, loss| {
        training_loss.push(loss);
        validation_loss.push(twin.loss(contender, &validation)?);
        tick();
        Ok(())
    })?;
    let threshold = Threshold::best_f1(&twin.logits(&validation)?, validation.targets())?;

    let model = train(contender, &rows.train, seed, epochs, |_, _| {
        tick();
        Ok(())
    })?;
    let logits = model.logits(&rows.test)?;
    let labels = rows.test.targets();
    Ok(Run {
        at_half: BinaryReport::from_logits(&logits, labels)?,
        at_chosen: BinaryReport::from_logits_at(&logits, labels, threshold)?,
        logits,
        training_loss,
        validation_loss,
    })
}

/// A network, and the scale of the columns it was trained with.
struct Classifier {
    scale: Standardizer,
    network: Sequential,
}

impl Classifier {
    fn logits(&self, data: &TensorDataset) -> Result<Tensor> {
        let inputs = self.scale.apply_to(data.inputs())?;
        let logits = self.network.forward(&Tape::inference().constant(inputs))?;
        Ok(logits.into_value())
    }

    fn loss(&self, contender: &Contender, data: &TensorDataset) -> Result<f64> {
        let logits = Tape::inference().constant(self.logits(data)?);
        (contender.loss)(&logits, data.targets())?.item()
    }
}

/// Trains a network, and calls `after_epoch` with it and with the mean loss of each epoch.
fn train(
    contender: &Contender,
    data: &TensorDataset,
    seed: u64,
    epochs: usize,
    mut after_epoch: impl FnMut(&Classifier, f64) -> Result<()>,
) -> Result<Classifier> {
    let mut rng = Rng::seed(seed);
    let columns = data.inputs().shape()[1];
    let model = Classifier {
        scale: Standardizer::fit(data)?,
        network: Sequential::new()
            .then(Linear::new(columns, 64, &mut rng))
            .then(Relu)
            .then(Linear::new(64, 32, &mut rng))
            .then(Relu)
            .then(Linear::new(32, 1, &mut rng)),
    };
    let mut optimizer = Adam::new(model.network.parameters()).learning_rate(LEARNING_RATE);
    let loader = DataLoader::new(&model.scale.apply(data)?, BATCH).shuffle(seed);

    for epoch in 0..epochs {
        let mut mean = Mean::new();
        for batch in loader.epoch(epoch) {
            let (inputs, labels) = batch?;
            let logits = model.network.forward(&Tape::new().constant(inputs))?;
            let loss = (contender.loss)(&logits, &labels)?;
            mean.add_weighted(loss.item()?, labels.count() as f64);
            optimizer.step(&loss.backward()?)?;
        }
        after_epoch(&model, mean.value())?;
    }
    Ok(model)
}
