//! RNN, LSTM and GRU, with everything that their specification has.
//!
//! Specification: <https://onnx.ai/onnx/operators/onnx__LSTM.html> and its kin. Shapes with layout 0, S steps, B rows,
//! D directions: X `[S, B, I]`, W `[D, G·H, I]`, R `[D, G·H, H]`, B `[D, 2·G·H]`, sequence_lens `[B]`, initial states
//! `[D, B, H]`, P `[D, 3·H]`; Y `[S, D, B, H]`, last states `[D, B, H]`. With layout 1: X `[B, S, I]`, states
//! `[B, D, H]`, Y `[B, S, D, H]`.

mod activation;
mod call;
mod engine;
mod step;

use super::attributes::Attributes;
use super::operator::{Args, Made, Operator};
use crate::{Numbers, Tensor};
use activation::Activation;
use call::{Call, Cell, Direction, Settings};
use engine::Engine;

pub(crate) fn rnn(attributes: &mut Attributes<'_>) -> Made {
    Recurrent::made(Cell::Rnn, attributes)
}
pub(crate) fn gru(attributes: &mut Attributes<'_>) -> Made {
    let linear_before_reset = attributes.flag("linear_before_reset")?;
    Recurrent::made(
        Cell::Gru {
            linear_before_reset,
        },
        attributes,
    )
}
pub(crate) fn lstm(attributes: &mut Attributes<'_>) -> Made {
    let input_forget = attributes.flag("input_forget")?;
    Recurrent::made(Cell::Lstm { input_forget }, attributes)
}

/// A node, with the engines that run it.
#[derive(Debug)]
struct Recurrent {
    settings: Settings,
    /// For 32-bit floats and for 64-bit ones: a graph of the former can also be run with the latter.
    engines: (Engine<f32>, Engine<f64>),
}

impl Recurrent {
    fn made(cell: Cell, attributes: &mut Attributes<'_>) -> Made {
        let reversed = match attributes.text("direction")?.unwrap_or("forward") {
            "forward" => vec![false],
            "reverse" => vec![true],
            "bidirectional" => vec![false, true],
            other => return Err(format!("its direction {other:?} is not supported")),
        };
        let alphas = attributes.floats("activation_alpha")?.unwrap_or_default();
        let betas = attributes.floats("activation_beta")?.unwrap_or_default();
        let default = cell.activations().repeat(reversed.len());
        let names = attributes.texts("activations")?.unwrap_or(default.clone());
        if names.len() != default.len() {
            return Err(format!(
                "it names {} activations, and needs {}: {} for each direction",
                names.len(),
                default.len(),
                cell.activations().len()
            ));
        }
        let clip = attributes.float("clip")?;
        if let Some(clip) = clip.filter(|c| c.is_nan() || *c < 0.0) {
            return Err(format!("its clip is {clip}, and must not be negative"));
        }
        let hidden = attributes.int("hidden_size")?;
        let hidden =
            hidden.map(|n| usize::try_from(n).map_err(|_| format!("its hidden_size is {n}")));
        let rows_first = match attributes.int("layout")?.unwrap_or(0) {
            0 => false,
            1 => true,
            other => return Err(format!("its layout {other} is not supported")),
        };
        let activations = Activation::all(&names, &alphas, &betas)?;
        let each = activations.chunks_exact(cell.activations().len());
        let directions = reversed.into_iter().zip(each);
        let directions = directions.map(|(reversed, activations)| Direction {
            reversed,
            activations: activations.to_vec(),
        });
        Ok(Box::new(Recurrent {
            settings: Settings {
                cell,
                directions: directions.collect(),
                clip,
                hidden: hidden.transpose()?,
                rows_first,
            },
            engines: Default::default(),
        }))
    }
}

impl Operator for Recurrent {
    fn run(&self, args: &Args<'_>) -> Result<Vec<Tensor>, String> {
        let of = &self.settings;
        match &args.need(0, "X")?.numbers {
            Numbers::F32(x) => self.engines.0.run(&Call::new(of, args, x)?, args),
            Numbers::F64(x) => self.engines.1.run(&Call::new(of, args, x)?, args),
            other => Err(format!(
                "its input X is of {}, and floats are needed",
                other.kind()
            )),
        }
    }
}
