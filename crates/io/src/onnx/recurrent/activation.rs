//! The activations that the recurrent operators may name, with their constants.

use crate::onnx::operator::Real;

/// A function of one number, and α and β where it has them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Activation {
    function: Function,
    alpha: f32,
    beta: f32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Function {
    Relu,
    Tanh,
    Sigmoid,
    Affine,
    LeakyRelu,
    ThresholdedRelu,
    ScaledTanh,
    HardSigmoid,
    Elu,
    Softsign,
    Softplus,
}

/// Whether a constant is used, and what it is where it is not given.
#[derive(Clone, Copy)]
enum Constant {
    Unused,
    Default(f32),
    Needed,
}

use Constant::{Default, Needed, Unused};

impl Activation {
    pub const TANH: Activation = Activation::plain(Function::Tanh);
    pub const SIGMOID: Activation = Activation::plain(Function::Sigmoid);
    pub const RELU: Activation = Activation::plain(Function::Relu);
    /// 1 · x + 0
    pub const IDENTITY: Activation = Activation {
        function: Function::Affine,
        alpha: 1.0,
        beta: 0.0,
    };
    const fn plain(function: Function) -> Activation {
        Activation {
            function,
            alpha: 0.0,
            beta: 0.0,
        }
    }
}

/// Names, and what α and β are for each. Defaults are those of the operator of the same name; Affine and ScaledTanh
/// have no operator, and so no default.
const FUNCTIONS: [(&str, Function, Constant, Constant); 11] = [
    ("Relu", Function::Relu, Unused, Unused),
    ("Tanh", Function::Tanh, Unused, Unused),
    ("Sigmoid", Function::Sigmoid, Unused, Unused),
    ("Affine", Function::Affine, Needed, Needed),
    ("LeakyRelu", Function::LeakyRelu, Default(0.01), Unused),
    (
        "ThresholdedRelu",
        Function::ThresholdedRelu,
        Default(1.0),
        Unused,
    ),
    ("ScaledTanh", Function::ScaledTanh, Needed, Needed),
    (
        "HardSigmoid",
        Function::HardSigmoid,
        Default(0.2),
        Default(0.5),
    ),
    ("Elu", Function::Elu, Default(1.0), Unused),
    ("Softsign", Function::Softsign, Unused, Unused),
    ("Softplus", Function::Softplus, Unused, Unused),
];

impl Activation {
    /// The activations of `names`; α and β are consumed in order, each by the next function that uses one.
    pub fn all(names: &[&str], alphas: &[f32], betas: &[f32]) -> Result<Vec<Activation>, String> {
        let (mut alphas, mut betas) = (alphas.iter(), betas.iter());
        let next =
            |name: &str, which: Constant, list: &mut std::slice::Iter<'_, f32>, attribute: &str| {
                match (which, list.as_slice().first()) {
                    (Unused, _) => Ok(0.0),
                    (_, Some(&x)) => {
                        list.next();
                        Ok(x)
                    }
                    (Default(x), None) => Ok(x),
                    (Needed, None) => Err(format!(
                        "its activation {name} needs a number in {attribute}"
                    )),
                }
            };
        let one = |name: &&str| {
            // The specification's own examples differ in case.
            let known = FUNCTIONS
                .iter()
                .find(|(n, ..)| n.eq_ignore_ascii_case(name));
            let &(name, function, alpha, beta) =
                known.ok_or_else(|| format!("its activation {name:?} is not supported"))?;
            Ok(Activation {
                function,
                alpha: next(name, alpha, &mut alphas, "activation_alpha")?,
                beta: next(name, beta, &mut betas, "activation_beta")?,
            })
        };
        names.iter().map(one).collect()
    }

    pub fn apply<R: Real>(self, x: R) -> R {
        let (alpha, beta) = (R::of(self.alpha.into()), R::of(self.beta.into()));
        // Written so that NaN passes.
        match self.function {
            Function::Relu if x < R::ZERO => R::ZERO,
            Function::Relu => x,
            Function::Tanh => x.tanh(),
            Function::Sigmoid => x.sigmoid(),
            Function::Affine => alpha * x + beta,
            Function::LeakyRelu if x < R::ZERO => alpha * x,
            Function::LeakyRelu => x,
            Function::ThresholdedRelu if x <= alpha => R::ZERO,
            Function::ThresholdedRelu => x,
            Function::ScaledTanh => alpha * (beta * x).tanh(),
            Function::HardSigmoid => (alpha * x + beta).between(R::ZERO, R::ONE),
            Function::Elu if x < R::ZERO => alpha * x.exp_m1(),
            Function::Elu => x,
            Function::Softsign => x / (R::ONE + x.abs()),
            // ln(1 + eˣ), without overflow.
            Function::Softplus => {
                let positive = if x < R::ZERO { R::ZERO } else { x };
                positive + (-x.abs()).exp().ln_1p()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_consumed_in_order_by_those_that_use_one() {
        let all = Activation::all(
            &["tanh", "LeakyRelu", "HardSigmoid", "Elu"],
            &[0.5, 0.3],
            &[0.1],
        )
        .unwrap();
        let alphas: Vec<f32> = all.iter().map(|a| a.alpha).collect();
        assert_eq!(alphas, [0.0, 0.5, 0.3, 1.0]);
        assert_eq!(all[2].beta, 0.1);
        assert!(
            Activation::all(&["Affine"], &[1.0], &[])
                .unwrap_err()
                .contains("activation_beta")
        );
        assert!(
            Activation::all(&["Gelu"], &[], &[])
                .unwrap_err()
                .contains("Gelu")
        );
    }

    #[test]
    fn extremes_neither_overflow_nor_lose_nan() {
        for (name, ..) in FUNCTIONS {
            let one = Activation::all(&[name], &[0.5], &[0.25]).unwrap()[0];
            for x in [-1e30_f32, -100.0, 0.0, 100.0, 1e30] {
                assert!(one.apply(x).is_finite(), "{name} of {x}");
            }
            assert!(one.apply(f64::NAN).is_nan(), "{name} of NaN");
        }
    }
}
