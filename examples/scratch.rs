use macula::prelude::*;
use std::time::Instant;
fn time(name: &str, n: usize, f: impl Fn()) {
    f();
    f();
    let mut best = f64::MAX;
    for _ in 0..n {
        let t = Instant::now();
        f();
        best = best.min(t.elapsed().as_secs_f64());
    }
    println!("{name}: {:.3} ms", best * 1e3);
}
fn main() -> Result<()> {
    let mut rng = Rng::seed(1);
    let x = Tensor::<f32>::normal([8_000_000], 0.0, 2.0, &mut rng)?;
    let y = Tensor::<i64>::integers([8_000_000], 0, 2, &mut rng)?;
    let to = Tensor::<f32>::zeros([8_000_000])?;
    time("add 8M (12 B each)", 20, || {
        x.add(&to).unwrap();
    });
    let f = SigmoidFocalLoss::new().gamma(2.0).alpha(0.25);
    time("sig focal 8M", 20, || {
        f.forward(&Tape::new().var(&x), &y)
            .unwrap()
            .backward()
            .unwrap();
    });
    let f = SigmoidCrossEntropy::new();
    time("sig ce 8M", 20, || {
        f.forward(&Tape::new().var(&x), &y)
            .unwrap()
            .backward()
            .unwrap();
    });
    for (r, c) in [(8192, 1000), (100_000, 10), (1_000_000, 2)] {
        let x = Tensor::<f32>::normal([r, c], 0.0, 2.0, &mut rng)?;
        let y = Tensor::<i64>::integers([r], 0, c as i64, &mut rng)?;
        let f = SoftmaxFocalLoss::new().gamma(2.0);
        time(&format!("softmax focal {r}x{c}"), 30, || {
            f.forward(&Tape::new().var(&x), &y)
                .unwrap()
                .backward()
                .unwrap();
        });
        let f = SoftmaxCrossEntropy::new();
        time(&format!("softmax ce {r}x{c}"), 30, || {
            f.forward(&Tape::new().var(&x), &y)
                .unwrap()
                .backward()
                .unwrap();
        });
    }
    let inputs = Tensor::<f32>::uniform([32, 10], 0.0, 1.0, &mut rng)?;
    let labels = Tensor::from((0..32).map(|i| i % 2).collect::<Vec<i64>>());
    let model = Linear::new(10, 2, &mut Rng::seed(1));
    let mut adam = Adam::new(model.parameters()).learning_rate(1e-3);
    let focal = SoftmaxFocalLoss::new();
    let n = 2000;
    let mut best = [f64::MAX; 6];
    for _ in 0..200 {
        let mut t = [0.0; 6];
        let start = Instant::now();
        for _ in 0..n {
            let tape = Tape::new();
            let loss = focal.forward(&model.forward(&tape.constant(&inputs))?, &labels)?;
            adam.step(&loss.backward()?)?;
        }
        t[5] = start.elapsed().as_secs_f64();
        for _ in 0..n {
            let s0 = Instant::now();
            let tape = Tape::new();
            let x = tape.constant(&inputs);
            let logits = model.forward(&x)?;
            let s1 = Instant::now();
            let loss = focal.forward(&logits, &labels)?;
            let s2 = Instant::now();
            let g = loss.backward()?;
            let s3 = Instant::now();
            adam.step(&g)?;
            let s4 = Instant::now();
            drop((tape, logits, g, x));
            let s5 = Instant::now();
            for (i, (a, b)) in [(s0, s1), (s1, s2), (s2, s3), (s3, s4), (s4, s5)]
                .into_iter()
                .enumerate()
            {
                t[i] += (b - a).as_secs_f64();
            }
        }
        for i in 0..6 {
            best[i] = f64::min(best[i], t[i] / n as f64);
        }
    }
    println!(
        "step {:.0} ns: forward {:.0} loss {:.0} backward {:.0} step {:.0} drop {:.0} ns (each incl ~25 ns clock)",
        best[5] * 1e9,
        best[0] * 1e9,
        best[1] * 1e9,
        best[2] * 1e9,
        best[3] * 1e9,
        best[4] * 1e9
    );
    Ok(())
}
