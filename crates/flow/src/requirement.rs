//! Requirements that make a measurement a gate: `horizon>=50`, `beta<1`, `saturation<=0.2`.

use crate::{Error, Flow};
use serde::Serialize;

/// What a requirement can be about: its name, what it is, and where it stands.
struct Quantity {
    name: &'static str,
    about: &'static str,
    of: fn(&Flow) -> Option<Known>,
}

/// A measured value; `at_least` where the measurement only says that it is that much or more.
#[derive(Clone, Copy)]
struct Known {
    value: f64,
    at_least: bool,
}

fn exactly(value: f64) -> Option<Known> {
    Some(Known {
        value,
        at_least: false,
    })
}

fn horizon(found: Option<f64>, measured_to: usize) -> Option<Known> {
    Some(Known {
        value: found.unwrap_or(measured_to as f64),
        at_least: found.is_none(),
    })
}

fn largest(values: impl Iterator<Item = f64>) -> Option<Known> {
    values.reduce(f64::max).and_then(exactly)
}

const QUANTITIES: &[Quantity] = &[
    Quantity {
        name: "horizon",
        about: "steps until the gradient falls to 1 %",
        of: |f| horizon(f.decay.percent, f.decay.measured_to),
    },
    Quantity {
        name: "half",
        about: "steps until the gradient falls to 50 %",
        of: |f| horizon(f.decay.half, f.decay.measured_to),
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
        of: |f| {
            f.bias
                .as_ref()
                .and_then(|b| exactly(b.smallest_window(0.1).map_or(f64::INFINITY, |w| w as f64)))
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
        of: |f| {
            f.saturation
                .iter()
                .map(|s| s.mean_slope)
                .reduce(f64::min)
                .and_then(exactly)
        },
    },
    Quantity {
        name: "radius",
        about: "spectral radius of W_hh, the largest of all layers and gates",
        of: |f| largest(f.recurrent.iter().map(|m| m.radius)),
    },
    Quantity {
        name: "norm",
        about: "spectral norm of W_hh, the largest of all layers and gates",
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
            f.lyapunov
                .as_ref()
                .and_then(|l| l.exponents.first().copied())
                .and_then(exactly)
        },
    },
    Quantity {
        name: "dimension",
        about: "Kaplan-Yorke dimension",
        of: |f| {
            f.lyapunov
                .as_ref()
                .and_then(|l| l.kaplan_yorke)
                .and_then(exactly)
        },
    },
    Quantity {
        name: "omega",
        about: "mean of Pascanu's Omega over steps",
        of: |f| exactly(f.omega.mean),
    },
    Quantity {
        name: "signal",
        about: "signal to noise of the gradient of one sequence",
        of: |f| f.noise.signal_to_noise.and_then(exactly),
    },
    Quantity {
        name: "chi",
        about: "mean-field chi of the first layer's scale",
        of: |f| f.mean_field.as_ref().and_then(|m| exactly(m.chi)),
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
    /// Whether it holds; not, where the quantity was not measured, or not far enough to tell.
    pub holds: bool,
    /// What was measured.
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
    /// Holds it against a measurement.
    pub fn check(&self, flow: &Flow) -> Outcome {
        let quantity = &QUANTITIES[self.quantity];
        let requirement = self.to_string();
        let Some(known) = (quantity.of)(flow) else {
            let reason = format!(
                "{requirement} cannot be told: {} was not measured",
                quantity.about
            );
            return Outcome {
                requirement,
                holds: false,
                value: None,
                reason,
            };
        };
        let (x, limit) = (known.value, self.limit);
        let holds = match (self.relation, known.at_least) {
            (Relation::AtLeast, _) => x >= limit,
            (Relation::Above, _) => x > limit,
            // "That much or more" never shows that it is less.
            (Relation::AtMost | Relation::Below, true) => false,
            (Relation::AtMost, false) => x <= limit,
            (Relation::Below, false) => x < limit,
        };
        let (verb, more) = match (holds, known.at_least) {
            (true, _) => ("holds", ""),
            (false, true) => (
                "is not shown",
                " or more, the longest lag that was followed",
            ),
            (false, false) => ("does not hold", ""),
        };
        Outcome {
            reason: format!("{requirement} {verb}: {} is {x:.4}{more}", quantity.about),
            requirement,
            holds,
            value: Some(x),
        }
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
