//! What is said of a cell beside its arithmetic. Whoever needs to know a cell reads this; no other crate asks which
//! cell it is.

/// A description of a cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct About {
    /// The row blocks of W_ih and W_hh in our order, which is PyTorch's; empty where a cell has no gates.
    pub gates: &'static [Gate],
    /// Names of the state's slots: h, or h and c.
    pub state: &'static [&'static str],
    /// Name of the activation φ that makes the state, or the candidate for it.
    pub activation: &'static str,
    /// Whether |h| ≤ 1 whatever the inputs.
    pub bounded: bool,
    /// How the state before a step enters it.
    pub recurrence: Recurrence,
    /// PyTorch's layer with the same equations; none where it has none.
    pub torch: Option<Torch>,
    /// ONNX's operator with the same equations; none where it has none.
    pub onnx: Option<Onnx>,
}

/// One row block of a weight matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gate {
    /// As in the cell's equations: `i`.
    pub symbol: &'static str,
    /// In words: `input`.
    pub name: &'static str,
    /// Which of the values that the cell saves is the gate's opening σ; none for a candidate, which is no share.
    pub opening: Option<usize>,
}

/// How the state before a step enters it, as J_t = ∂h_t/∂h_{t−1} says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recurrence {
    /// J_t = diag(φ′) W_hh.
    Full,
    /// J_t = diag(1 − α) + diag(α φ′) W_hh, with α = σ(`leak`).
    Leaky,
    /// J_t = diag(φ′ ⊙ w), with w the vector `weight_hh`.
    Diagonal,
    /// Gates that depend on the state multiply it.
    Gated,
}

/// A layer of `torch.nn`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Torch {
    /// `RNN`, `LSTM` or `GRU`.
    pub class: &'static str,
    /// The option `nonlinearity`, where the class has it.
    pub nonlinearity: Option<&'static str>,
}

/// A recurrent operator of ONNX.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Onnx {
    /// `RNN`, `LSTM` or `GRU`.
    pub operator: &'static str,
    /// For each row block of the operator's W and R, which of ours it is.
    pub order: &'static [usize],
    /// The attribute `activations`, for an operator that takes φ from it.
    pub activation: Option<OnnxActivation>,
    /// The attribute `linear_before_reset`, for an operator that has it.
    pub linear_before_reset: Option<bool>,
}

/// An activation by ONNX's name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OnnxActivation {
    /// As in the attribute `activations`.
    pub name: &'static str,
    /// `activation_alpha` and `activation_beta`, where it has them.
    pub alpha_beta: Option<(f32, f32)>,
}

impl About {
    /// A cell without gates whose φ is `A`, in PyTorch and ONNX an `RNN`.
    pub const fn elman<A: super::Activation>() -> About {
        About {
            gates: &[],
            state: &["h"],
            activation: A::NAME,
            bounded: A::BOUNDED,
            recurrence: Recurrence::Full,
            torch: match A::TORCH {
                None => None,
                nonlinearity => Some(Torch {
                    class: "RNN",
                    nonlinearity,
                }),
            },
            onnx: match A::ONNX {
                None => None,
                activation => Some(Onnx {
                    operator: "RNN",
                    order: &[0],
                    activation,
                    linear_before_reset: None,
                }),
            },
        }
    }
}

impl Gate {
    /// One whose opening is the value `opening` that the cell saves.
    pub const fn open(symbol: &'static str, name: &'static str, opening: usize) -> Gate {
        Gate {
            symbol,
            name,
            opening: Some(opening),
        }
    }
    /// The row block of a candidate.
    pub const fn candidate(symbol: &'static str, name: &'static str) -> Gate {
        Gate {
            symbol,
            name,
            opening: None,
        }
    }
}
