//! One run: a loss and a seed, from the rows to two reports.

use macula::prelude::*;

use crate::rows::Rows;

const BATCH: usize = 256;
const LEARNING_RATE: f64 = 1e-3;
/// Share of the training rows that the threshold is not chosen by.
const FITTING_SHARE: f64 = 0.8;

/// What a loss says about logits and labels.
type Loss = dyn Fn(&Var, &Tensor<i64>) -> Result<Var> + Send + Sync;

/// A loss under its name in the table.
pub(crate) struct Contender {
    pub(crate) name: String,
    loss: Box<Loss>,
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

/// What one loss came to with one seed; the reports are of the test rows.
pub(crate) struct Run {
    /// Trained with all training rows, decided at probability 0.5.
    pub(crate) at_half: BinaryReport,
    /// The logits of that model for the test rows.
    pub(crate) logits: Tensor,
    /// Trained without the validation rows, decided where these had their best F1.
    pub(crate) at_chosen: BinaryReport,
    /// Losses of that model after each epoch, on the rows trained with and on the others.
    pub(crate) training_loss: Vec<f64>,
    pub(crate) validation_loss: Vec<f64>,
}

/// How many each [`run`] trains.
pub(crate) const MODELS: usize = 2;

/// Trains with one loss from one seed.
///
/// A threshold must come from rows that its model has not seen, so one model does without a fifth
/// of the training rows, chooses its threshold by them, and keeps it: each model has a scale of its
/// own, so a threshold is not lent to another. Decided at 0.5, where nothing is chosen, a second
/// model is trained with all of them.
pub(crate) fn run(
    contender: &Contender,
    rows: &Rows,
    seed: u64,
    epochs: usize,
    tick: impl Fn(),
) -> Result<Run> {
    let mut rng = Rng::seed(seed).stream(1);
    let (most, validation) = rows.train.stratified_split(FITTING_SHARE, &mut rng)?;
    let mut training_loss = Vec::new();
    let mut validation_loss = Vec::new();
    let model = train(contender, &most, seed, epochs, |model, loss| {
        training_loss.push(loss);
        validation_loss.push(model.loss(contender, &validation)?);
        tick();
        Ok(())
    })?;
    let threshold = Threshold::best_f1(&model.logits(&validation)?, validation.targets())?;
    let labels = rows.test.targets();
    let at_chosen = BinaryReport::from_logits_at(&model.logits(&rows.test)?, labels, threshold)?;

    let model = train(contender, &rows.train, seed, epochs, |_, _| {
        tick();
        Ok(())
    })?;
    let logits = model.logits(&rows.test)?;
    Ok(Run {
        at_half: BinaryReport::from_logits(&logits, labels)?,
        logits,
        at_chosen,
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
