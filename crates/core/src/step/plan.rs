//! What a step consists of, chosen once for a run.

use crate::network::Network;
use crate::{Batch, Element};
use core::ops::Range;

/// Which parts a step has beside its products and its cell, and where each keeps what backward needs of it: columns of
/// a row of the trace's `extra`, empty for a part that the step does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StepPlan {
    /// `[H]` e: h as a mask or a gate leaves it for W_hh.
    pub entering: Columns,
    /// `[2, H]` g and g ⊙ e, where a gate stands before W_hh.
    pub gates: Columns,
    /// `[lanes, H]` n and `[lanes]` s of the normalisation.
    pub normal: Columns,
    pub scales: Columns,
    /// `[S, H]` s̃: the state that the cell made, before zoneout.
    pub candidate: Columns,
    /// All of them.
    pub width: usize,
    /// `[2, lanes, H]` numbers that backward leaves for each step: δb and δγ of the normalisation.
    pub backward_width: usize,
}

/// From, to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Columns(pub usize, pub usize);

impl Columns {
    pub fn any(self) -> bool {
        self.0 < self.1
    }
    pub fn range(self) -> Option<Range<usize>> {
        self.any().then_some(self.0..self.1)
    }
}

impl StepPlan {
    /// Of a step of `network` on `batch`.
    pub fn of<E: Element>(network: &Network, batch: &Batch<E>) -> StepPlan {
        let masked = batch.noise.as_ref().is_some_and(|n| !n.state.is_empty());
        StepPlan::with(network, masked)
    }
    /// Of a step without masks.
    pub fn unmasked(network: &Network) -> StepPlan {
        StepPlan::with(network, false)
    }
    fn with(network: &Network, masked: bool) -> StepPlan {
        let (sizes, h) = (network.cell.sizes(), network.hidden);
        let mut width = 0;
        let mut columns = |wanted: bool, n: usize| {
            let from = width;
            width += if wanted { n } else { 0 };
            Columns(from, width)
        };
        let gated = sizes.gated.is_some();
        let plan = StepPlan {
            entering: columns(masked || gated, h),
            gates: columns(gated, 2 * h),
            normal: columns(network.layer_norm, sizes.drive * h),
            scales: columns(network.layer_norm, sizes.drive),
            candidate: columns(network.zoneout > 0.0, network.state_width()),
            width: 0,
            backward_width: match network.layer_norm {
                true => 2 * sizes.drive * h,
                false => 0,
            },
        };
        StepPlan { width, ..plan }
    }
    /// Whether a step is two products and a cell, and keeps nothing.
    pub fn is_plain(&self) -> bool {
        self.width == 0
    }
    /// The columns that hold what W_hh reads, its last row blocks where those are `gated`; none where it reads h_{t-1}
    /// itself.
    pub fn read(&self, gated: bool) -> Option<Range<usize>> {
        match gated && self.gates.any() {
            true => Some(self.gates.0.midpoint(self.gates.1)..self.gates.1),
            false => self.entering.range(),
        }
    }
    /// The columns that hold s̃; none where it is the state after the step.
    pub fn candidate(&self) -> Option<Range<usize>> {
        self.candidate.range()
    }
}
