//! What to change, as the very option of `elman train`.

use crate::verdict::{Case, Cause, Proposal};

/// A spectral radius below this fades by itself: over 100 steps 0.97 leaves 5 %.
const NEARLY_ONE: f64 = 0.97;

/// The cell that is proposed where gates are missing.
const LSTM: &str = "lstm";

fn propose(option: impl Into<String>, why: impl Into<String>) -> Proposal {
    Proposal {
        option: option.into(),
        why: why.into(),
    }
}

/// What to change for a cause, the first choice first.
pub(crate) fn proposals(case: &Case<'_>, cause: Cause) -> Vec<Proposal> {
    let (about, n) = (&case.flow.about, case.flow.about.longest.max(3));
    let gated = propose(
        "--cell lstm",
        "its c is carried by a gate instead of a product with W_hh",
    );
    let orthogonal = propose(
        "--init orthogonal --gain 1.0",
        "W_hh starts by keeping the length of what passes it",
    );
    let slower = propose(
        format!("--memory 2,{n}"),
        format!("units then start with time constants from 2 to {n} steps"),
    );
    match cause {
        Cause::NotANumber => not_finite(case),
        // The first step of training changes the readout, whatever the options.
        Cause::NoGradient => Vec::new(),
        Cause::Exploding => {
            let mut all = vec![orthogonal];
            if case.training.clip.is_none_or(|c| c == 0.0) {
                all.push(propose(
                    "--clip 1.0",
                    "one long gradient then moves the weights no further than others",
                ));
            }
            if !about.gated {
                all.push(propose(
                    "--cell gru",
                    "its gates keep what passes them bounded",
                ));
            }
            all
        }
        Cause::VanishingByWeights if about.leaky => vec![slower, gated],
        Cause::VanishingByWeights if about.gated && about.cell == LSTM => vec![slower],
        Cause::VanishingByWeights if about.gated => vec![slower, gated],
        Cause::VanishingByWeights if case.radius() < NEARLY_ONE => vec![orthogonal, gated],
        Cause::VanishingByWeights => {
            vec![
                gated,
                propose("--cell leaky", "each unit learns how slowly it forgets"),
            ]
        }
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

fn not_finite(case: &Case<'_>) -> Vec<Proposal> {
    let found = case.flow.not_finite.as_ref();
    if found.is_some_and(|f| f.parameter.is_none() && f.what == Some("the input")) {
        return vec![propose(
            "--missing interpolate",
            "a value that is missing is then filled in between its neighbours",
        )];
    }
    match case.training.clip {
        None => vec![propose(
            "--clip 1.0",
            "one long gradient then moves the weights no further than others",
        )],
        Some(_) => Vec::new(),
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
    if case.flow.about.cell != LSTM {
        all.push(propose(
            "--cell lstm",
            "its c is not squashed, so that it passes gradients where h is flat",
        ));
    }
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
