//! The three programs a PyTorch user writes first, with their torch lines in comments, and the
//! traps in the versions that are passed around.
//!
//! ```text
//! cargo run --release --example torch_port
//! ```

use macula::prelude::*;

fn main() -> Result<()> {
    println!("1. Binary focal loss");
    binary_focal_loss()?;
    println!("\n2. Multi-class focal loss");
    multiclass_focal_loss()?;
    println!("\n3. Training on a data set of your own");
    train_on_random_samples()
}

/// ```python
/// def focal_loss(logits, labels, gamma=2.0, alpha=0.75, reduction="mean"):
///     nats = F.binary_cross_entropy_with_logits(logits, labels.float(), reduction="none")
///     p = torch.exp(-nats)
///     losses = alpha * (1 - p) ** gamma * nats
///     return losses.mean() if reduction == "mean" else losses.sum()
/// ```
fn binary_focal_loss() -> Result<()> {
    let tape = Tape::new();
    let logits = tape.var(Tensor::from([2.0_f32, -1.0, 0.5, -3.0]));
    let labels = Tensor::from([1_i64, 1, 0, 0]);

    let focal = SigmoidFocalLoss::new().gamma(2.0).alpha(0.75);
    let mean = focal.forward(&logits, &labels)?;
    let sum = focal.reduction(Reduction::Sum).forward(&logits, &labels)?;
    println!("   mean {:.4}, sum {:.4}", mean.item()?, sum.item()?);
    let gradients = mean.backward()?;
    println!("   gradient {:.4?}", gradients.of(&logits)?.to_vec()?);

    alpha_for_both_classes_balances_nothing(&labels)?;
    one_minus_p_has_no_digits()?;
    a_mean_over_all_anchors_leaves_nothing()
}

/// `alpha * …` in the lines above multiplies either class: it scales the whole loss, which Adam does
/// not even notice.
fn alpha_for_both_classes_balances_nothing(labels: &Tensor<i64>) -> Result<()> {
    // At logit 0 all losses are equal, so what is left of the two classes is their weight.
    let logits = Tape::new().constant(Tensor::from([0.0_f32; 4]));
    let focal = SigmoidFocalLoss::new().reduction(Reduction::None);
    let positive_to_negative = |focal: SigmoidFocalLoss| -> Result<f32> {
        let losses = focal.forward(&logits, labels)?.value().to_vec()?;
        Ok(losses[0] / losses[3])
    };
    println!("   Trap: one α for both classes.");
    println!("   weight of a positive against a negative at p = 0.5:");
    let (of_positives, of_negatives) = (0.75, 0.75);
    println!(
        "     torch lines, α 0.75   {:.2}",
        of_positives / of_negatives
    );
    println!(
        "     macula,      α 0.75   {:.2}",
        positive_to_negative(focal.clone().alpha(0.75))?
    );
    println!(
        "     macula,      α 0.25   {:.2}",
        positive_to_negative(focal.alpha(0.25))?
    );
    Ok(())
}

/// ```python
/// p = torch.sigmoid(logits)
/// losses = -(1 - p) ** gamma * torch.log(p)
/// ```
///
/// In f32, `1 - p` rounds to 0 for an easy row. Its loss is 0 then, however far it is from easy in
/// truth; and for γ below 1 the power has an infinite slope there, and ∞ · 0 is not a number.
///
/// The same formula can be written in macula, as any formula of your own: see the line of `eval`.
#[derive(Clone, Copy, Debug)]
struct Textbook {
    gamma: f64,
}

impl Pointwise<1> for Textbook {
    const NAME: &'static str = "textbook_focal_loss";

    #[inline(always)]
    fn eval<S: Scalar>(&self, [x]: [S; 1]) -> S {
        let p = x.sigmoid();
        -(x.constant(1.0) - p).powf(self.gamma) * p.ln()
    }
}

fn one_minus_p_has_no_digits() -> Result<()> {
    println!("   Trap: 1 − p by subtraction. Logit 20, label 1, f32:");
    for gamma in [2.0, 0.5] {
        let x = Tape::new().var(Tensor::from([20.0_f32]));
        print_loss("textbook", gamma, &x, &x.map(Textbook { gamma })?)?;

        let x = Tape::new().var(Tensor::from([20.0_f32]));
        let focal = SigmoidFocalLoss::new().gamma(gamma);
        let loss = focal.forward(&x, &Tensor::from([1_i64]))?;
        print_loss("macula", gamma, &x, &loss)?;
    }
    Ok(())
}

fn print_loss(whose: &str, gamma: f64, x: &Var, loss: &Var) -> Result<()> {
    let slope = loss.grad(&[x])?.remove(0).item()?;
    let value = loss.item()? + 0.0; // so that −0 prints as 0
    println!("     {whose:9} γ {gamma:<3}  loss {value:8.1e}  gradient {slope:8.1e}");
    Ok(())
}

/// A detector has 100 000 easy negatives to a handful of positives; divided by all of them, the
/// loss of the positives is gone.
fn a_mean_over_all_anchors_leaves_nothing() -> Result<()> {
    let mut logits = vec![-8.0_f32; 100_000];
    let mut labels = vec![0_i64; 100_000];
    logits[..5].fill(0.0);
    labels[..5].fill(1);
    let logits = Tape::new().constant(Tensor::from(logits));
    let labels = Tensor::from(labels);

    let focal = SigmoidFocalLoss::new().alpha(0.25);
    let all = focal.forward(&logits, &labels)?.item()?;
    let positives = focal.reduction(Reduction::MeanOverPositives);
    let positives = positives.forward(&logits, &labels)?.item()?;
    println!("   Trap: the mean over all anchors. 5 undecided positives, 99 995 easy negatives:");
    println!("     Reduction::Mean               {all:.2e}");
    println!("     Reduction::MeanOverPositives  {positives:.2e}, as in the paper");
    Ok(())
}

/// ```python
/// def focal_loss(logits, labels, alpha, gamma=2.0):
///     ln_p = F.log_softmax(logits, dim=1).gather(1, labels.view(-1, 1))    # [N, 1]
///     modulator = (1 - ln_p.exp()) ** gamma                                # [N, 1]
///     nats = -alpha[labels] * ln_p.squeeze(1)                              # [N]
///     return (modulator * nats).mean()                                     # [N, N] !
/// ```
fn multiclass_focal_loss() -> Result<()> {
    let logits = Tensor::from([
        [4.0_f32, 0.0, 0.0],
        [0.0, 4.0, 0.0],
        [3.0, 0.0, 1.0],
        [0.0, 2.0, 0.5],
    ]);
    let labels = Tensor::from([0_i64, 1, 2, 1]);
    let alpha = ClassCounts::of(&labels, 3)?.balanced_weights();

    let focal = SoftmaxFocalLoss::new().gamma(2.0).alpha(alpha.clone());
    let logits = Tape::new().var(logits);
    let loss = focal.forward(&logits, &labels)?;
    println!("   α for each class {alpha:.2?}, loss {:.4}", loss.item()?);

    // The torch lines, one by one.
    let ln_p = logits.value().log_softmax(1)?;
    let ln_p = ln_p.gather(1, &labels.unsqueeze(1)?)?; // [N, 1]
    let modulator = ln_p.exp()?.neg()?.add_scalar(1.0)?.square()?; // [N, 1]
    let alpha = Tensor::from(alpha).cast::<f32>()?;
    let alpha = alpha.index_select(0, &labels)?; // [N]
    let nats = alpha.mul(&ln_p.squeeze(1)?)?.neg()?; // [N]
    let pairs = modulator.mul(&nats)?; // [N, N]
    let rows = modulator.squeeze(1)?.mul(&nats)?; // [N]

    println!(
        "   Trap: [N, 1] × [N] is {:?}, a product for every pair of rows.",
        pairs.shape()
    );
    let product = modulator.mean(..)?.mul(&nats.mean(..)?)?.item()?;
    println!("     torch lines      {:.4}", pairs.mean(..)?.item()?);
    println!("     mean · mean      {product:.4}: the same, so no row is focused on");
    println!("     row by row       {:.4}", rows.mean(..)?.item()?);
    println!("     macula           {:.4}", loss.item()?);

    if let Err(error) = focal.forward(&logits, &labels.unsqueeze(1)?) {
        println!("   macula broadcasts no labels. Those of shape [4, 1] get:");
        println!("     {error}");
    }
    Ok(())
}

/// ```python
/// class RandomSamples(Dataset):
///     def __init__(self):
///         self.inputs = torch.randn(1000, 10)
///         self.labels = torch.randint(0, 2, (1000,))
///     def __len__(self):
///         return 1000
///     def __getitem__(self, row):
///         return self.inputs[row], self.labels[row]
/// ```
#[derive(Clone)]
struct RandomSamples {
    inputs: Vec<[f32; 10]>,
    labels: Vec<i64>,
}

impl RandomSamples {
    fn new(rng: &mut Rng) -> Result<Self> {
        let mut inputs = vec![[0.0; 10]; 1000];
        for input in &mut inputs {
            rng.fill_normal(input, 0.0, 1.0)?;
        }
        let labels = inputs.iter().map(|_| rng.below(2) as i64).collect();
        Ok(Self { inputs, labels })
    }
}

impl Dataset for RandomSamples {
    type Input = [f32; 10];
    type Target = i64;

    fn len(&self) -> usize {
        self.labels.len()
    }

    fn get(&self, row: usize) -> Result<([f32; 10], i64)> {
        Ok((self.inputs[row], self.labels[row]))
    }
}

/// ```python
/// model = nn.Linear(10, 2)
/// optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
/// loader = DataLoader(RandomSamples(), batch_size=32, shuffle=True)
/// for epoch in range(5):
///     total = 0.0
///     for inputs, labels in loader:
///         optimizer.zero_grad()
///         loss = focal_loss(model(inputs), labels)
///         loss.backward()
///         optimizer.step()
///         total += loss.item()
///     print(f"Epoch {epoch + 1}, Loss: {total / len(loader):.4f}")
/// ```
fn train_on_random_samples() -> Result<()> {
    let mut rng = Rng::seed(7);
    let samples = RandomSamples::new(&mut rng)?;
    let model = Linear::new(10, 2, &mut rng);
    let mut optimizer = Adam::new(model.parameters()).learning_rate(1e-3);
    let loader = DataLoader::new(&samples, 32).shuffle(7);
    let focal = SoftmaxFocalLoss::new().gamma(2.0);

    for epoch in 0..5 {
        let mut mean = Mean::new();
        for batch in loader.epoch(epoch) {
            let (inputs, labels) = batch?;
            let logits = model.forward(&Tape::new().constant(inputs))?;
            let loss = focal.forward(&logits, &labels)?;
            mean.add(loss.item()?);
            // A pass returns its gradients, so there is nothing to zero, and nothing to forget.
            optimizer.step(&loss.backward()?)?;
        }
        println!("Epoch {}, Loss: {:.4}", epoch + 1, mean.value());
    }
    // The labels are drawn by lot: all there is to learn is to say so, which costs this much.
    println!(
        "¼·ln 2 = {:.4} is what knowing nothing costs",
        0.25 * 2.0_f64.ln()
    );
    Ok(())
}
