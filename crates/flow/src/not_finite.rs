//! A number that is NaN or infinite, looked for before anything is measured: no figure means anything beside one.

use crate::Scope;
use elman_core::Batch;
use serde::Serialize;

/// The first number that is not finite, in the order of computation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NotFinite {
    /// The parameter that holds one, where one does.
    pub parameter: Option<String>,
    /// Where it is seen first in the run: `the input`, `the state before the first step`, `the state`, `the output` or
    /// `the gradient of the loss`; `None` where only a parameter holds one and no number of the run is touched by it.
    pub what: Option<&'static str>,
    /// The step, from 0, of the batch that was measured.
    pub step: Option<usize>,
    /// The row of that batch.
    pub row: Option<usize>,
    /// The layer, of a state.
    pub layer: Option<usize>,
}

impl std::fmt::Display for NotFinite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(name) = &self.parameter {
            write!(f, "{name} holds a number that is NaN or infinite")?;
        }
        let Some(what) = self.what else {
            return Ok(());
        };
        match self.parameter.is_some() {
            true => write!(f, "; in the run {what}")?,
            false => write!(f, "{what}")?,
        }
        if let Some(layer) = self.layer {
            write!(f, " of layer {layer}")?;
        }
        f.write_str(" is first not finite")?;
        if let (Some(step), Some(row)) = (self.step, self.row) {
            write!(f, " at step {step} of row {row}, both from 0")?;
        }
        Ok(())
    }
}

fn broken(values: &[f64]) -> bool {
    values.iter().any(|x| !x.is_finite())
}

/// Looks through parameters, inputs, states, outputs and the loss's gradient.
pub(crate) fn not_finite(scope: &Scope) -> Option<NotFinite> {
    let views = scope.params().layout().views().iter();
    let mut broken_views = views.filter(|v| broken(&scope.params().data()[v.range()]));
    let parameter = broken_views.next().map(|v| v.name.clone());
    let seen = in_run(scope);
    if parameter.is_none() && seen.is_none() {
        return None;
    }
    let (what, place, layer) = match seen {
        Some((what, place, layer)) => (Some(what), Some(place), layer),
        None => (None, None, None),
    };
    Some(NotFinite {
        parameter,
        what,
        step: place.map(|p| p.0),
        row: place.map(|p| p.1),
        layer,
    })
}

type Seen = (&'static str, (usize, usize), Option<usize>);

/// The first place in the run, in the order of time.
fn in_run(scope: &Scope) -> Option<Seen> {
    let (batch, trace) = (scope.batch(), scope.trace());
    let layers = || trace.sweeps().iter().enumerate();
    for (layer, swept) in layers() {
        let before = |row: &usize| broken(swept.state(0, *row));
        if let Some(row) = (0..batch.rows()).find(before) {
            let what = "the state before the first step";
            return Some((what, (0, row), Some(layer)));
        }
    }
    let first = places(batch).find_map(|(t, row)| {
        if batch.x(t, row).is_some_and(broken) {
            return Some(("the input", (t, row), None));
        }
        for (layer, swept) in layers() {
            if broken(swept.state(t + 1, row)) {
                return Some(("the state", (t, row), Some(layer)));
            }
        }
        let y = trace.output(t, row);
        y.is_some_and(broken)
            .then_some(("the output", (t, row), None))
    });
    first.or_else(|| {
        let lost = |&(t, row): &(usize, usize)| scope.d_output(t, row).is_some_and(broken);
        let place = places(batch).find(lost)?;
        Some(("the gradient of the loss", place, None))
    })
}

/// Every step and row, in the order of time.
fn places(batch: &Batch<f64>) -> impl Iterator<Item = (usize, usize)> + '_ {
    (0..batch.steps())
        .flat_map(|t| (0..batch.rows()).map(move |r| (t, r)))
        .filter(|&(t, r)| t < batch.length(r))
}
