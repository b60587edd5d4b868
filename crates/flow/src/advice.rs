//! What to change, as the very option of `elman train`.

use crate::verdict::{Case, Cause, Proposal};

/// A spectral radius below this fades by itself: over 100 steps 0.97 leaves 5 %.
const NEARLY_ONE: f64 = 0.97;

fn propose(option: impl Into<String>, why: impl Into<String>) -> Proposal {
    Proposal {
        option: option.into(),
        why: why.into(),
    }
}

/// What to change for a cause, the first choice first.
pub(crate) fn proposals(case: &Case<'_>, cause: Cause) -> Vec<Proposal> {
    let elman = case.flow.about.cell.starts_with("elman");
    let gated = propose(
        "--cell lstm",
        "its c is carried by a gate instead of a product with W_hh",
    );
    let orthogonal = propose(
        "--init orthogonal --gain 1.0",
        "W_hh starts by keeping the length of what passes it",
    );
    match cause {
        Cause::Exploding => {
            let mut all = vec![orthogonal];
            if case.training.clip.is_none_or(|c| c == 0.0) {
                all.push(propose(
                    "--clip 1.0",
                    "one long gradient then moves the weights no further than others",
                ));
            }
            if !matches!(case.flow.about.cell, "gru" | "gru-before" | "lstm") {
                all.push(propose(
                    "--cell gru",
                    "its gates keep what passes them bounded",
                ));
            }
            all
        }
        Cause::VanishingByWeights if elman && case.radius() < NEARLY_ONE => vec![orthogonal, gated],
        Cause::VanishingByWeights if elman => {
            vec![
                gated,
                propose("--cell leaky", "each unit learns how slowly it forgets"),
            ]
        }
        Cause::VanishingByWeights if case.flow.about.cell == "lstm" => {
            vec![propose(
                "--hidden 128",
                "more units leave room for slow ones",
            )]
        }
        Cause::VanishingByWeights => vec![gated],
        Cause::VanishingBySaturation => unsaturate(case),
        Cause::WindowLimited => vec![longer_window(case)],
        Cause::TransientGrowth => {
            let clip = propose(
                "--clip 1.0",
                "the growth is brief, so that a limit on the whole gradient tames it",
            );
            vec![
                propose(
                    "--init orthogonal",
                    "an orthogonal W_hh is normal: it grows nothing for a while",
                ),
                clip,
            ]
        }
        Cause::TaskNeedsNoLongerMemory | Cause::Healthy => Vec::new(),
    }
}

fn unsaturate(case: &Case<'_>) -> Vec<Proposal> {
    let mut all = Vec::new();
    if case.flow.mean_field.is_some_and(|m| m.sigma_b > 1.5) {
        let size = case.flow.mean_field.map_or(0.0, |m| m.sigma_b);
        let why = format!("the input alone drives units to ±{size:.1}, where tanh is flat");
        all.push(propose("--scale standard", why));
    }
    if case.radius() > 1.1 {
        let why = format!(
            "W_hh with the spectral radius {:.2} drives units against their limits",
            case.radius()
        );
        all.push(propose("--init orthogonal --gain 1.0", why));
    }
    all.push(propose(
        "--cell lstm",
        "its c is not squashed, so that it passes gradients where h is flat",
    ));
    all
}

/// The smallest window with a tenth of bias, measured where it can be.
fn longer_window(case: &Case<'_>) -> Proposal {
    let bias = case.flow.bias.as_ref();
    let measured = bias.and_then(|b| b.smallest_measured_window(0.1));
    let bound = bias.and_then(|b| b.smallest_window(0.1));
    let window = measured
        .or(bound)
        .unwrap_or(case.flow.about.longest)
        .min(case.flow.about.longest);
    propose(
        format!("--window {window}"),
        "less than 10 % of the gradient of W_hh then lies beyond it",
    )
}
