//! One table: what elman, PyTorch and ONNX call the same things, and in which order the gates stand.
//!
//! | elman and PyTorch | ONNX | |
//! |---|---|---|
//! | `weight_ih_l0` `[G·H, F]` | `W` `[D, G·H, F]` | directions stacked: forward, then `_reverse` |
//! | `weight_hh_l0` `[G·H, H]` | `R` `[D, G·H, H]` | |
//! | `bias_ih_l0`, `bias_hh_l0` `[G·H]` | `B` `[D, 2·G·H]` | one after the other |
//! | – | `P` `[D, 3·H]` | peepholes, in the order i o f |
//! | `nn.RNN` (`elman`, `elman-relu`) | `RNN` | no gates |
//! | `nn.LSTM` (`lstm`): i f g o | `LSTM`: i o f c | ONNX's c is PyTorch's g |
//! | `nn.GRU` (`gru`): r z n | `GRU`: z r h | ONNX's h is PyTorch's n; `linear_before_reset = 1` |

use elman_core::CellKind;

/// A recurrent layer that PyTorch and ONNX know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// `torch.nn.RNN`, ONNX `RNN`.
    Rnn,
    /// `torch.nn.LSTM`, ONNX `LSTM`.
    Lstm,
    /// `torch.nn.GRU`, ONNX `GRU`.
    Gru,
}

impl Family {
    /// What PyTorch's layer of a cell is; `None` where it has none.
    pub fn of(cell: CellKind) -> Option<Family> {
        Family::by_name(cell.about().torch?.class)
    }
    /// The family whose layer and operator have this name.
    fn by_name(name: &str) -> Option<Family> {
        let all = [Family::Rnn, Family::Lstm, Family::Gru];
        all.into_iter().find(|f| f.onnx() == name)
    }
    /// The family with this many row blocks in its weights.
    pub fn with_gates(gates: usize) -> Option<Family> {
        match gates {
            1 => Some(Family::Rnn),
            3 => Some(Family::Gru),
            4 => Some(Family::Lstm),
            _ => None,
        }
    }
    /// PyTorch's class.
    pub fn torch(self) -> &'static str {
        match self {
            Family::Rnn => "torch.nn.RNN",
            Family::Lstm => "torch.nn.LSTM",
            Family::Gru => "torch.nn.GRU",
        }
    }
    /// ONNX's operator.
    pub fn onnx(self) -> &'static str {
        match self {
            Family::Rnn => "RNN",
            Family::Lstm => "LSTM",
            Family::Gru => "GRU",
        }
    }
    /// The gates in elman's and PyTorch's order.
    pub fn gates(self) -> &'static [&'static str] {
        match self {
            Family::Rnn => &["z"],
            Family::Lstm => &["i", "f", "g", "o"],
            Family::Gru => &["r", "z", "n"],
        }
    }
    /// For each row block of ONNX's W and R, which of elman's (and PyTorch's) it is.
    pub fn onnx_order(self) -> &'static [usize] {
        match self {
            Family::Rnn => &[0],
            Family::Lstm => &[0, 3, 1, 2],
            Family::Gru => &[1, 0, 2],
        }
    }
}

/// Row blocks put in another order: block `i` of the result is block `order[i]` of `rows`.
///
/// `rows` must be of `order.len()` blocks of equal length; numbers after the last whole block are left out.
///
/// # Panics
/// Where `order` names a block that there is not.
pub fn reorder<T: Copy>(rows: &[T], order: &[usize]) -> Vec<T> {
    let block = rows.len() / order.len().max(1);
    let blocks = order.iter().flat_map(|&at| &rows[at * block..][..block]);
    blocks.copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gates_keep_their_meaning() {
        let onnx = |family: Family, names: &[&str]| {
            assert_eq!(reorder(family.gates(), family.onnx_order()), names);
        };
        onnx(Family::Lstm, &["i", "o", "f", "g"]);
        onnx(Family::Gru, &["z", "r", "n"]);
        assert_eq!(reorder(&[1, 2, 3, 4, 5, 6], &[1, 0, 2]), [3, 4, 1, 2, 5, 6]);
    }
    #[test]
    fn every_cell_has_as_many_gates_as_its_family() {
        for &cell in CellKind::ALL {
            if let Some(family) = Family::of(cell) {
                assert_eq!(cell.sizes().from_x.len(), family.gates().len());
                let onnx = cell.about().onnx.unwrap();
                assert_eq!(
                    (onnx.operator, onnx.order),
                    (family.onnx(), family.onnx_order())
                );
                assert_eq!(Family::with_gates(family.gates().len()), Some(family));
            }
        }
    }
}
