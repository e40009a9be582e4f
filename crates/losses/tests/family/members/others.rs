//! The members that compare something else than logits with a label.

use macula_autograd::Var;
use macula_losses::*;
use macula_tensor::{Result, Tensor};

use super::{Member, ROW};

/// All of them, with a reduction where they have one.
pub(crate) fn other_members(reduction: Reduction) -> Vec<Member> {
    let mut members = of_numbers(reduction);
    members.extend(of_the_batch(reduction));
    members.extend(of_regions(reduction));
    members.extend(of_embeddings(reduction));
    members
}

/// Labels as numbers, on the tape of `x`.
fn numbers(x: &Var<f64>, labels: &Tensor<i64>) -> Result<Var<f64>> {
    Ok(x.tape().constant(labels.cast::<f64>()?))
}

/// Regression and distributions: labels are numbers.
fn of_numbers(reduction: Reduction) -> Vec<Member> {
    fn regression<F: DifferenceLoss>(name: &'static str, loss: RegressionLoss<F>) -> Member {
        Member::new(name, move |x, y, weights| match weights {
            None => loss.forward(x, &numbers(x, y)?),
            Some(weights) => loss.forward_weighted(x, &numbers(x, y)?, weights),
        })
    }
    let divergence = KlDivergence::new().reduction(reduction);
    let of_logarithms = divergence.log_targets(true);
    let of_probabilities = ProbabilityCrossEntropy::new().reduction(reduction);
    let members = vec![
        regression("MseLoss", MseLoss::new().reduction(reduction)),
        regression("L1Loss", L1Loss::new().reduction(reduction)),
        regression("SmoothL1Loss", SmoothL1Loss::new().reduction(reduction)),
        regression("HuberLoss", HuberLoss::new().reduction(reduction)),
        Member::new("KlDivergence", move |x, y, weights| match weights {
            None => divergence.forward(x, &numbers(x, y)?),
            Some(weights) => divergence.forward_weighted(x, &numbers(x, y)?, weights),
        }),
        Member::new(
            "KlDivergence, of logarithms",
            move |x, y, weights| match weights {
                None => of_logarithms.forward(x, &numbers(x, y)?),
                Some(weights) => of_logarithms.forward_weighted(x, &numbers(x, y)?, weights),
            },
        ),
        Member {
            refuses_nan: true,
            ..Member::new("ProbabilityCrossEntropy", move |x, y, weights| {
                let (p, y) = (x.sigmoid()?, y.cast::<f64>()?);
                match weights {
                    None => of_probabilities.forward(&p, &y),
                    Some(weights) => of_probabilities.forward_weighted(&p, &y, weights),
                }
            })
        },
    ];
    let unlabelled = |member| Member {
        checks_labels: false,
        ignores: false,
        ..member
    };
    members.into_iter().map(unlabelled).collect()
}

/// Losses whose weights depend on the batch, and the choice of the hardest.
fn of_the_batch(reduction: Reduction) -> Vec<Member> {
    let ghm = GhmLoss::new().ignore_index(-1).reduction(reduction);
    let equalization = EqualizationLoss::new([0.5, 0.001, 0.2]).reduction(reduction);
    let chosen = |name, member| Member {
        name,
        checks_labels: false,
        ignores: false,
        reduces: false,
        local: false,
        weighs: false,
        ..member
    };
    vec![
        Member {
            local: false,
            ..Member::new("GhmLoss", move |x, y, weights| match weights {
                None => ghm.forward(x, y),
                Some(weights) => ghm.forward_weighted(x, y, weights),
            })
        },
        Member {
            row: ROW,
            target: ROW,
            ignores: false,
            ..Member::new("EqualizationLoss", move |x, y, weights| {
                let foreground = Tensor::full([x.shape()[0]], 1_i64)?.cast::<bool>()?;
                match weights {
                    None => equalization.forward(x, y, &foreground),
                    Some(weights) => {
                        let weights = weights.unsqueeze(1)?.expand([weights.count(), 3])?;
                        equalization.forward_weighted(x, y, &foreground, &weights)
                    }
                }
            })
        },
        Member {
            has_labels: false,
            ..chosen(
                "HardExamples",
                Member::new("", |x, _, _| HardExamples::new(0.5).forward(x)),
            )
        },
        chosen(
            "HardExamples, for each positive",
            Member::new("", |x, y, _| HardExamples::per_positive(x, y, 3.0)),
        ),
    ]
}

/// Overlap: a sample has four pixels.
fn of_regions(reduction: Reduction) -> Vec<Member> {
    fn region<F: RegionFormula>(name: &'static str, loss: RegionLoss<F>) -> Member {
        let loss = loss.ignore_index(-1);
        let member = Member::new(name, move |x, y, weights| match weights {
            None => loss.forward(x, y),
            Some(weights) => loss.forward_weighted(x, y, weights),
        });
        Member {
            row: &[3, 4],
            target: &[4],
            classes: 3,
            ..member
        }
    }
    let dice = DiceLoss::new().reduction(reduction).ignore_index(-1);
    let lovasz = LovaszLoss::new().ignore_index(-1);
    let one_number = |member| Member {
        reduces: false,
        local: false,
        weighs: false,
        ..member
    };
    vec![
        region("DiceLoss", DiceLoss::new().reduction(reduction)),
        region(
            "DiceLoss, squared",
            DiceLoss::new().squared(true).reduction(reduction),
        ),
        Member {
            row: &[2, 4],
            target: &[2, 4],
            ..Member::new(
                "DiceLoss, of a sigmoid",
                move |x, y, weights| match weights {
                    None => dice.forward_sigmoid(x, y),
                    Some(weights) => dice.forward_sigmoid_weighted(x, y, weights),
                },
            )
        },
        region("JaccardLoss", JaccardLoss::new().reduction(reduction)),
        region("TverskyLoss", TverskyLoss::new().reduction(reduction)),
        region(
            "TverskyLoss, focal",
            TverskyLoss::focal().reduction(reduction),
        ),
        region(
            "TverskyLoss, nothing added",
            TverskyLoss::new().smooth(0.0).reduction(reduction),
        ),
        region(
            "GeneralizedDiceLoss",
            GeneralizedDiceLoss::new().reduction(reduction),
        ),
        one_number(Member {
            row: ROW,
            classes: 3,
            ..Member::new("LovaszLoss", move |x, y, _| lovasz.forward(x, y))
        }),
        one_number(Member::new("LovaszLoss, hinge", move |x, y, _| {
            lovasz.hinge(x, y)
        })),
        one_number(Member {
            row: &[1, 4],
            target: &[1, 4],
            ignores: false,
            ..Member::new("UnifiedFocalLoss", |x, y, _| {
                UnifiedFocalLoss::new().forward(x, y)
            })
        }),
    ]
}

/// Distances between embeddings of two numbers.
fn of_embeddings(reduction: Reduction) -> Vec<Member> {
    let contrastive = ContrastiveLoss::new().margin(4.0).reduction(reduction);
    let triplet = TripletLoss::new().margin(1.0).reduction(reduction);
    let embeddings = |member| Member {
        row: &[2],
        checks_labels: false,
        ignores: false,
        ..member
    };
    let of_all = |member| Member {
        local: false,
        weighs: false,
        ..embeddings(member)
    };
    let of_mined = |member| Member {
        refuses_nan: true,
        ..of_all(member)
    };
    let at = |x: &Var<f64>, place: f64| -> Result<Var<f64>> {
        Ok(x.tape().constant(Tensor::full(x.shape(), place)?))
    };
    vec![
        embeddings(Member::new("ContrastiveLoss", move |x, y, weights| {
            let (right, same) = (at(x, 0.3)?, y.cast::<bool>()?);
            match weights {
                None => contrastive.forward(x, &right, &same),
                Some(weights) => contrastive.forward_weighted(x, &right, &same, weights),
            }
        })),
        Member {
            has_labels: false,
            ..embeddings(Member::new("TripletLoss", move |x, _, weights| {
                let (near, far) = (at(x, 0.3)?, at(x, -0.4)?);
                match weights {
                    None => triplet.forward(x, &near, &far),
                    Some(weights) => triplet.forward_weighted(x, &near, &far, weights),
                }
            }))
        },
        of_mined(Member::new("TripletLoss, batch-hard", move |x, y, _| {
            triplet.mined(x, y)
        })),
        of_mined(Member::new("TripletLoss, semi-hard", move |x, y, _| {
            triplet.mining(TripletMining::SemiHard).mined(x, y)
        })),
        Member {
            reduces: false,
            ..of_all(Member::new("SupervisedContrastiveLoss", |x, y, _| {
                SupervisedContrastiveLoss::new().forward(x, y)
            }))
        },
        Member {
            row: &[2, 2],
            reduces: false,
            has_labels: false,
            ..of_all(Member::new("NtXentLoss", |x, _, _| {
                // The first views of all samples, then the second ones.
                let views = x.transpose(0, 1)?;
                NtXentLoss::new().forward(&views.reshape([2 * x.shape()[0], 2])?)
            }))
        },
    ]
}
