//! What a verdict rests on: a line for each measurement, with its numbers.

use crate::verdict::{Case, Cause};
use crate::{Bound, Horizon};

/// The lines for a cause.
pub(crate) fn evidence(case: &Case<'_>, cause: Cause) -> Vec<String> {
    match cause {
        Cause::NotANumber => {
            return vec![
                "Every figure is NaN: nothing can be measured beside such a number".into(),
            ];
        }
        Cause::NoGradient => return no_gradient(case),
        _ => {}
    }
    let (f, d) = (case.flow, &case.flow.decay);
    let mut lines = vec![format!(
        "Gradient by lag over {} sequences and {} loss times: decay rate {:.4} a step, 50 % after {}, 1 % after {}",
        f.lag.sequences,
        f.lag.loss_times,
        d.beta,
        steps(d.half),
        steps(d.percent),
    )];
    if let Some(needs) = case.needs() {
        lines.push(format!("The task reaches back {needs:.0} steps"));
    }
    if let Some(b) = &f.bound {
        lines.push(bound(b, case.map(), d.measured_to));
    }
    lines.extend(about_weights(case, cause));
    lines.extend(about_training(case));
    lines
}

fn no_gradient(case: &Case<'_>) -> Vec<String> {
    let (lag, at) = (&case.flow.lag, case.flow.decay.measured_to);
    vec![
        format!(
            "Gradient by lag over {} sequences and {} loss times: zero at all lags from 0 to {at}",
            lag.sequences, lag.loss_times
        ),
        "The loss has a gradient at the outputs, but the readout passes none of it to the states. Readout weights of zero, as \
         before the first step of training, do this"
            .into(),
    ]
}

/// The bound as far as it was measured: below 1 a step it limits the longest lag by its power, above 1 it limits nothing.
fn bound(b: &Bound, map: &str, longest: usize) -> String {
    let norm = match b.kept > 0.0 {
        true => format!(
            "the part of {map} that passes the activation has the norm {}",
            beside_one(b.norm)
        ),
        false => format!("|{map}| = {}", beside_one(b.norm)),
    };
    let step = beside_one(b.per_step);
    let slope = b.largest_slope;
    let most = 100.0 * (longest as f64 * b.per_step.ln()).exp();
    let says = match b.per_step {
        x if x < 1.0 => format!(
            "at lag {longest} at most {} % of the gradient at lag 0 is left",
            significant(most)
        ),
        x if x > 1.0 => "it permits growth, and does not say that there is any".into(),
        _ => "it permits the gradient to keep its length at every lag".into(),
    };
    format!(
        "Bound, from above only: {norm}; with the largest slope met, {slope:.3}, it is {step} a step: {says}"
    )
}

fn about_weights(case: &Case<'_>, cause: Cause) -> Vec<String> {
    let f = case.flow;
    let mut lines = vec![format!(
        "Spectral radius of {} {}; mean slope of the flattest layer {:.3}; saturated units {:.1} %",
        case.map(),
        beside_one(case.radius()),
        case.slope(),
        100.0 * f.saturation.iter().map(|s| s.saturated).fold(0.0, f64::max),
    )];
    let first = f
        .lyapunov
        .as_ref()
        .and_then(|l| Some((l.exponents.first()?, l.errors.first()?, l.steps)));
    if let Some((exponent, error, steps)) = first {
        lines.push(match exponent.is_finite() {
            true => format!("Largest Lyapunov exponent {exponent:.4} ± {error:.4} a step, over {steps} steps"),
            false => format!("Largest Lyapunov exponent −∞ over {steps} steps: some step maps every direction to zero"),
        });
    }
    if cause == Cause::TransientGrowth {
        let growth = f.recurrent.iter().map(|m| m.transient).fold(0.0, f64::max);
        let normal = f
            .recurrent
            .iter()
            .map(|m| m.non_normality)
            .fold(0.0, f64::max);
        lines.push(format!(
            "Powers of {} grow {growth:.1} times beyond their eigenvalues; non-normality {normal:.2}",
            case.map()
        ));
    }
    lines
}

fn about_training(case: &Case<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(c) = &case.training.norms {
        lines.push(format!(
            "Gradient norm in training: median {:.3}, largest {:.3}; {:.0} % of the steps clipped",
            c.median,
            c.largest,
            100.0 * c.clipped,
        ));
    }
    if let (Some(missing), Some(window)) = (case.cut_off(), case.training.window) {
        lines.push(format!(
            "Beyond the truncation window of {window} steps lies {:.1} % of the gradient of W_hh",
            100.0 * missing
        ));
    }
    if let Some(e) = case.training.explained {
        let of = match case.training.cross_entropy {
            true => "Cross-entropy of the class frequencies",
            false => "Variance",
        };
        lines.push(format!(
            "{of} explained on the sampled rows: {:.1} %",
            100.0 * e
        ));
    }
    if let Some(signal) = case.signal() {
        lines.push(format!(
            "Signal to noise of the gradient over {} sequences: {signal:.2}",
            case.flow.noise.sequences
        ));
    }
    lines
}

fn steps(found: Horizon) -> String {
    match found {
        Horizon::At(lag) => format!("{lag:.1} steps"),
        Horizon::Beyond(longest) => format!("more than {longest} steps"),
        Horizon::Undefined => "an undefined number of steps".into(),
    }
}

/// With so many digits that it is seen on which side of 1 it lies.
fn beside_one(x: f64) -> String {
    let digits = (3..17).map(|n| format!("{x:.n$}"));
    let mut shown = digits.filter(|text| x == 1.0 || text.parse() != Ok(1.0));
    shown.next().unwrap_or_else(|| x.to_string())
}

/// To two significant digits.
fn significant(x: f64) -> String {
    match x {
        x if x >= 10.0 => format!("{x:.0}"),
        x if x >= 0.01 => {
            let decimals = (1 - x.log10().floor() as i32).max(0) as usize;
            format!("{x:.decimals$}")
        }
        x => format!("{x:.1e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_side_of_one_is_seen() {
        assert_eq!(beside_one(0.99989), "0.9999");
        assert_eq!(beside_one(1.0 - 1e-9), "0.999999999");
        assert_eq!(
            (beside_one(1.0), beside_one(0.5)),
            ("1.000".into(), "0.500".into())
        );
        assert_eq!(beside_one(f64::NAN), "NaN");
    }
    #[test]
    fn two_digits() {
        for (x, text) in [
            (97.8, "98"),
            (2.345, "2.3"),
            (0.0234, "0.023"),
            (3.21e-9, "3.2e-9"),
        ] {
            assert_eq!(significant(x), text);
        }
    }
}
