//! Requirements that make a measurement a gate: `horizon>=50`, `beta<1`, `saturation<=0.2`.

use crate::scaled::{larger, smaller};
use crate::{Error, Flow, Horizon};
use serde::Serialize;

/// What a requirement can be about: its name, what it is, and where it stands.
struct Quantity {
    name: &'static str,
    about: &'static str,
    of: fn(&Flow) -> Known,
}

/// What is known of a quantity.
#[derive(Clone, Copy)]
enum Known {
    Exactly(f64),
    /// That much or more: the measurement went no further.
    AtLeast(f64),
    /// It was measured, and there is no such number.
    Undefined,
    NotMeasured,
}

fn exactly(value: f64) -> Known {
    match value.is_nan() {
        true => Known::Undefined,
        false => Known::Exactly(value),
    }
}

fn horizon(found: Horizon) -> Known {
    match found {
        Horizon::At(lag) => exactly(lag),
        Horizon::Beyond(longest) => Known::AtLeast(longest as f64),
        Horizon::Undefined => Known::Undefined,
    }
}

fn perhaps(value: Option<f64>) -> Known {
    value.map_or(Known::NotMeasured, exactly)
}

fn largest(values: impl Iterator<Item = f64>) -> Known {
    perhaps(values.reduce(larger))
}

const QUANTITIES: &[Quantity] = &[
    Quantity {
        name: "horizon",
        about: "steps until the gradient falls to 1 %",
        of: |f| horizon(f.decay.percent),
    },
    Quantity {
        name: "half",
        about: "steps until the gradient falls to 50 %",
        of: |f| horizon(f.decay.half),
    },
    Quantity {
        name: "beta",
        about: "decay rate of the gradient, per step",
        of: |f| exactly(f.decay.beta),
    },
    Quantity {
        name: "peak",
        about: "largest gradient at any lag over that at lag 0",
        of: |f| exactly(f.decay.peak),
    },
    Quantity {
        name: "window",
        about: "smallest window whose gradient is biased by 10 % at most (bound)",
        of: |f| match &f.bias {
            None => Known::NotMeasured,
            Some(_) if f.decay.beta.is_nan() => Known::Undefined,
            Some(b) => exactly(b.smallest_window(0.1).map_or(f64::INFINITY, |w| w as f64)),
        },
    },
    Quantity {
        name: "saturation",
        about: "share of |h| > 0.99, of the worst layer",
        of: |f| largest(f.saturation.iter().map(|s| s.saturated)),
    },
    Quantity {
        name: "dead",
        about: "share of dead units, of the worst layer",
        of: |f| largest(f.saturation.iter().map(|s| s.dead_share())),
    },
    Quantity {
        name: "slope",
        about: "mean slope of the activation, of the flattest layer",
        of: |f| perhaps(f.saturation.iter().map(|s| s.mean_slope).reduce(smaller)),
    },
    Quantity {
        name: "radius",
        about: "spectral radius of W_hh (of leaky cells: of (1-a)I + aW_hh), the largest of all layers and gates",
        of: |f| largest(f.recurrent.iter().map(|m| m.radius)),
    },
    Quantity {
        name: "norm",
        about: "spectral norm of W_hh (of leaky cells: of (1-a)I + aW_hh), the largest of all layers and gates",
        of: |f| largest(f.recurrent.iter().map(|m| m.norm)),
    },
    Quantity {
        name: "non-normality",
        about: "non-normality of W_hh (Henrici), from 0 to 1, the largest",
        of: |f| largest(f.recurrent.iter().map(|m| m.non_normality)),
    },
    Quantity {
        name: "transient",
        about: "largest growth of powers of W_hh that its eigenvalues do not explain",
        of: |f| largest(f.recurrent.iter().map(|m| m.transient)),
    },
    Quantity {
        name: "lyapunov",
        about: "largest Lyapunov exponent, per step",
        of: |f| {
            let spectrum = f.lyapunov.as_ref();
            perhaps(spectrum.and_then(|l| l.exponents.first().copied()))
        },
    },
    Quantity {
        name: "dimension",
        about: "Kaplan-Yorke dimension",
        of: |f| perhaps(f.lyapunov.as_ref().and_then(|l| l.kaplan_yorke)),
    },
    Quantity {
        name: "omega",
        about: "mean of Pascanu's Omega over steps",
        of: |f| exactly(f.omega.mean),
    },
    Quantity {
        name: "signal",
        about: "signal to noise of the gradient of one sequence",
        of: |f| perhaps(f.noise.signal_to_noise),
    },
    Quantity {
        name: "chi",
        about: "mean-field chi of the first layer's scale",
        of: |f| perhaps(f.mean_field.as_ref().map(|m| m.chi)),
    },
];

/// The names that a requirement may use, with what they are.
pub fn requirement_names() -> Vec<(&'static str, &'static str)> {
    QUANTITIES.iter().map(|q| (q.name, q.about)).collect()
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Relation {
    AtLeast,
    AtMost,
    Above,
    Below,
}

/// A condition on one measured quantity.
#[derive(Clone, Debug, PartialEq)]
pub struct Requirement {
    quantity: usize,
    relation: Relation,
    limit: f64,
}

/// Whether a requirement holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outcome {
    /// The requirement, as it is typed.
    pub requirement: String,
    /// Whether it holds; not, where the quantity is undefined, was not measured, or not far enough to tell.
    pub holds: bool,
    /// What was measured; `None` where there is no number.
    pub value: Option<f64>,
    /// Both in words.
    pub reason: String,
}

impl std::str::FromStr for Requirement {
    type Err = Error;
    /// Reads `NAME>=NUMBER`, or with `<=`, `>`, `<`. The error lists the names.
    fn from_str(text: &str) -> Result<Requirement, Error> {
        let relations = [
            (">=", Relation::AtLeast),
            ("<=", Relation::AtMost),
            (">", Relation::Above),
            ("<", Relation::Below),
        ];
        let found = relations
            .into_iter()
            .find_map(|(sign, r)| text.split_once(sign).map(|(n, l)| (n, r, l)));
        let Some((name, relation, limit)) = found else {
            return Err(Error::Requirement(format!(
                "{text:?} is not a requirement: it has the form NAME>=NUMBER (or <=, >, <), as in horizon>=50"
            )));
        };
        let (name, limit) = (name.trim(), limit.trim());
        let Some(quantity) = QUANTITIES.iter().position(|q| q.name == name) else {
            let names: Vec<_> = QUANTITIES.iter().map(|q| q.name).collect();
            let names = names.join(", ");
            return Err(Error::Requirement(format!(
                "nothing measured is called {name:?}; there are {names}"
            )));
        };
        match limit.parse::<f64>() {
            Ok(limit) if limit.is_finite() => Ok(Requirement {
                quantity,
                relation,
                limit,
            }),
            _ => Err(Error::Requirement(format!(
                "{limit:?} in {text:?} is not a number"
            ))),
        }
    }
}

impl std::fmt::Display for Requirement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = match self.relation {
            Relation::AtLeast => ">=",
            Relation::AtMost => "<=",
            Relation::Above => ">",
            Relation::Below => "<",
        };
        write!(f, "{}{sign}{}", QUANTITIES[self.quantity].name, self.limit)
    }
}

impl Requirement {
    /// Holds it against a measurement. An undefined quantity holds no requirement, and neither does any quantity of a network
    /// with a number that is not finite.
    pub fn check(&self, flow: &Flow) -> Outcome {
        let (quantity, requirement) = (&QUANTITIES[self.quantity], self.to_string());
        let about = quantity.about;
        if let Some(found) = &flow.not_finite {
            let reason = format!("{requirement} does not hold: nothing can be measured, {found}");
            return told(requirement, false, None, reason);
        }
        let (x, at_least) = match (quantity.of)(flow) {
            Known::Exactly(x) => (x, false),
            Known::AtLeast(x) => (x, true),
            Known::Undefined => {
                let why = match flow.decay.no_gradient() {
                    true => "no gradient reaches the states",
                    false => "there is no such number here",
                };
                let reason = format!("{requirement} does not hold: {about} is undefined, {why}");
                return told(requirement, false, None, reason);
            }
            Known::NotMeasured => {
                let reason = format!("{requirement} cannot be told: {about} was not measured");
                return told(requirement, false, None, reason);
            }
        };
        let limit = self.limit;
        let holds = match (self.relation, at_least) {
            (Relation::AtLeast, _) => x >= limit,
            (Relation::Above, _) => x > limit,
            // "That much or more" never shows that it is less.
            (Relation::AtMost | Relation::Below, true) => false,
            (Relation::AtMost, false) => x <= limit,
            (Relation::Below, false) => x < limit,
        };
        let (verb, more) = match (holds, at_least) {
            (true, _) => ("holds", ""),
            (false, true) => (
                "is not shown",
                " or more, the longest lag that was followed",
            ),
            (false, false) => ("does not hold", ""),
        };
        let reason = format!("{requirement} {verb}: {about} is {x:.4}{more}");
        told(requirement, holds, Some(x), reason)
    }
}

fn told(requirement: String, holds: bool, value: Option<f64>, reason: String) -> Outcome {
    Outcome {
        requirement,
        holds,
        value,
        reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_are_read_as_they_are_written() {
        for text in ["horizon>=50", "beta<1", "saturation<=0.2", "lyapunov>-0.5"] {
            assert_eq!(text.parse::<Requirement>().unwrap().to_string(), text);
        }
        assert_eq!(" beta < 1".parse::<Requirement>(), "beta<1".parse());
    }
    #[test]
    fn errors_say_what_there_is() {
        let unknown = "horizn>=50".parse::<Requirement>().unwrap_err().to_string();
        assert!(
            unknown.contains("horizn") && unknown.contains("horizon, half, beta"),
            "{unknown}"
        );
        for text in ["horizon", "horizon>=many", "horizon>=inf", ""] {
            assert!(
                matches!(text.parse::<Requirement>(), Err(Error::Requirement(_))),
                "{text}"
            );
        }
    }
}
