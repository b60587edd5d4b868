//! One flat buffer of parameters with named, shaped views under PyTorch's names.

use crate::network::Sweep;
use crate::{Element, Error, Network, Rows};
use elman_kernels::prefer_large_pages;
use std::ops::Range;
use std::sync::Arc;

/// One parameter: a named matrix (or vector, with one column) within the flat buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// PyTorch's name where it has one: `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, `readout.weight`,
    /// `readout.bias`; else ours: `leak_l0`, `weight_hh_l0` of one dimension, `gain_l0` (γ of the
    /// normalisation, lane by lane), `state_l0`.
    pub name: String,
    /// `[rows, cols]`, or `[length]`.
    pub shape: Vec<usize>,
    /// Where it starts.
    pub start: usize,
}

impl View {
    /// Numbers in it.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }
    /// Whether it has no number.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Its place in the flat buffer.
    pub fn range(&self) -> Range<usize> {
        self.start..self.start + self.len()
    }
}

/// What stands beside a network and learns with it: an encoder that it goes on from, and matrices between the two.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Companions {
    /// A network that reads what this one answers to; its parameters are called `encoder.…`.
    pub encoder: Option<Network>,
    /// Name and shape of further parameters.
    pub matrices: Vec<(String, Vec<usize>)>,
}

impl Companions {
    /// What the encoder's parameters' names begin with.
    pub const ENCODER: &'static str = "encoder.";
}

/// Where each parameter of a network stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    views: Vec<View>,
    sweeps: Vec<SweepViews>,
    readout: Option<(usize, usize)>,
    len: usize,
}

/// Indices into [`Layout::views`] of one sweep's parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SweepViews {
    pub w_ih: usize,
    /// None, and no `b_hh`, where the cell has no recurrent product.
    pub w_hh: Option<usize>,
    pub b_ih: usize,
    pub b_hh: Option<usize>,
    pub unit: Vec<usize>,
    pub gain: Option<usize>,
    pub state: Option<usize>,
}

impl Layout {
    /// The layout of a network's parameters. An error where the network's sizes make no sense.
    pub fn of(network: &Network) -> Result<Layout, Error> {
        network.check()?;
        let mut layout = Layout {
            views: Vec::new(),
            sweeps: Vec::new(),
            readout: None,
            len: 0,
        };
        let (sizes, h) = (network.cell.sizes(), network.hidden);
        for sweep in network.sweeps() {
            let tail = sweep.suffix();
            let (gx, gh) = (sizes.from_x.len(), sizes.from_h.len());
            let views = SweepViews {
                w_ih: layout.add(
                    format!("weight_ih{tail}"),
                    &[gx * h, network.reads(sweep.layer)],
                ),
                w_hh: (gh > 0).then(|| layout.add(format!("weight_hh{tail}"), &[gh * h, h])),
                b_ih: layout.add(format!("bias_ih{tail}"), &[gx * h]),
                b_hh: (gh > 0).then(|| layout.add(format!("bias_hh{tail}"), &[gh * h])),
                unit: sizes
                    .unit_names
                    .iter()
                    .map(|n| layout.add(format!("{n}{tail}"), &[network.unit_width()]))
                    .collect(),
                gain: network
                    .layer_norm
                    .then(|| layout.add(format!("gain{tail}"), &[sizes.drive, h])),
                state: network
                    .learned_state
                    .then(|| layout.add(format!("state{tail}"), &[sizes.state, h])),
            };
            layout.sweeps.push(views);
        }
        if let Some(width) = network.output {
            let reads = network.directions() * h;
            layout.readout = Some((
                layout.add("readout.weight".into(), &[width, reads]),
                layout.add("readout.bias".into(), &[width]),
            ));
        }
        Ok(layout)
    }
    /// The layout of a network's parameters, and behind them those of its companions. An error where sizes
    /// make no sense.
    pub fn with(network: &Network, companions: &Companions) -> Result<Layout, Error> {
        let mut layout = Layout::of(network)?;
        if let Some(encoder) = &companions.encoder {
            for view in Layout::of(encoder)?.views {
                layout.add(format!("{}{}", Companions::ENCODER, view.name), &view.shape);
            }
        }
        for (name, shape) in &companions.matrices {
            Error::fits("a matrix beside the network", shape)?;
            layout.add(name.clone(), shape);
        }
        Ok(layout)
    }
    /// Every parameter's own part of a buffer so laid out, in the order of the views; none of an empty one.
    pub(crate) fn split_mut<'d, E>(&self, data: &'d mut [E]) -> Vec<&'d mut [E]> {
        if data.is_empty() {
            return Vec::new();
        }
        let mut rest = data;
        let mut parts = Vec::with_capacity(self.views.len());
        for view in &self.views {
            let (head, tail) = rest.split_at_mut(view.len());
            parts.push(head);
            rest = tail;
        }
        parts
    }
    /// An error unless it is the layout of `network`, with or without companions.
    pub(crate) fn check(&self, network: &Network) -> Result<(), Error> {
        let own = Layout::of(network)?;
        let same = (&self.sweeps, self.readout) == (&own.sweeps, own.readout)
            && self.views.starts_with(&own.views);
        match same {
            true => Ok(()),
            false => Err(Error::Mismatch {
                what: "the parameters",
                why: "they have the layout of another network".into(),
            }),
        }
    }
    fn add(&mut self, name: String, shape: &[usize]) -> usize {
        let view = View {
            name,
            shape: shape.to_vec(),
            start: self.len,
        };
        self.len += view.len();
        self.views.push(view);
        self.views.len() - 1
    }
    /// P: how many numbers in all.
    pub fn len(&self) -> usize {
        self.len
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
    /// Every parameter, in the order of the buffer, without gaps.
    pub fn views(&self) -> &[View] {
        &self.views
    }
    /// The parameter called `name`.
    pub fn find(&self, name: &str) -> Result<&View, Error> {
        self.views.iter().find(|v| v.name == name).ok_or_else(|| {
            let known: Vec<_> = self.views.iter().map(|v| v.name.as_str()).collect();
            Error::Name {
                name: name.into(),
                known: known.join(", "),
            }
        })
    }
    pub(crate) fn sweep(&self, sweep: Sweep) -> &SweepViews {
        &self.sweeps[sweep.index]
    }
    pub(crate) fn readout(&self) -> Option<(usize, usize)> {
        self.readout
    }
}

/// Parameters of a network, or anything of the same shape: a gradient, an optimiser's moments.
#[derive(Clone, Debug)]
pub struct Params<E> {
    layout: Arc<Layout>,
    data: Vec<E>,
}

fn zeros<E: Element>(len: usize) -> Vec<E> {
    let data = vec![E::ZERO; len];
    prefer_large_pages(&data);
    data
}

impl<E: Element> Params<E> {
    /// All zeros, for a network whose sizes are right.
    pub fn zeros(network: &Network) -> Result<Params<E>, Error> {
        let layout = Layout::of(network)?;
        let data = zeros(layout.len());
        Ok(Params {
            layout: Arc::new(layout),
            data,
        })
    }
    /// All zeros, for a network and its companions.
    pub fn zeros_with(network: &Network, companions: &Companions) -> Result<Params<E>, Error> {
        let layout = Layout::with(network, companions)?;
        let data = zeros(layout.len());
        Ok(Params {
            layout: Arc::new(layout),
            data,
        })
    }
    /// Where the encoder's parameters stand among those of a network and its companions; they have no gaps.
    pub fn encoder(&self) -> Range<usize> {
        let mut own = self
            .layout
            .views
            .iter()
            .filter(|v| v.name.starts_with(Companions::ENCODER));
        match (own.next(), own.next_back()) {
            (Some(first), last) => first.start..last.unwrap_or(first).range().end,
            (None, _) => 0..0,
        }
    }
    /// All zeros, of the same shape.
    pub fn zeros_like(&self) -> Params<E> {
        Params {
            layout: self.layout.clone(),
            data: zeros(self.data.len()),
        }
    }
    /// The same numbers in another type, rounded to nearest.
    pub fn convert<F: Element>(&self) -> Params<F> {
        Params {
            layout: self.layout.clone(),
            data: self.data.iter().map(|x| F::of(x.to_f64())).collect(),
        }
    }
    /// Where each parameter stands.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }
    /// The flat buffer `[P]`.
    pub fn data(&self) -> &[E] {
        &self.data
    }
    /// The flat buffer `[P]`, to write.
    pub fn data_mut(&mut self) -> &mut [E] {
        &mut self.data
    }
    /// The numbers of the parameter called `name`, row by row.
    pub fn get(&self, name: &str) -> Result<&[E], Error> {
        Ok(&self.data[self.layout.find(name)?.range()])
    }
    /// The numbers of the parameter called `name`, to write.
    pub fn get_mut(&mut self, name: &str) -> Result<&mut [E], Error> {
        let range = self.layout.find(name)?.range();
        Ok(&mut self.data[range])
    }
    /// Replaces the parameter called `name`; an error where `values` has another length.
    pub fn set(&mut self, name: &str, values: &[E]) -> Result<(), Error> {
        let view = self.layout.find(name)?.clone();
        if values.len() != view.len() {
            return Err(Error::size(
                name,
                values.len(),
                view.len(),
                format!("{:?}", view.shape),
            ));
        }
        self.data[view.range()].copy_from_slice(values);
        Ok(())
    }
    pub(crate) fn slice(&self, view: usize) -> &[E] {
        &self.data[self.layout.views[view].range()]
    }
    pub(crate) fn matrix(&self, view: usize) -> Rows<'_, E> {
        let shape = &self.layout.views[view].shape;
        Rows::new(self.slice(view), shape[0], *shape.get(1).unwrap_or(&1))
    }
    /// Every parameter's own slice, in the order of [`Layout::views`].
    pub(crate) fn split_mut(&mut self) -> Vec<&mut [E]> {
        self.layout.split_mut(&mut self.data)
    }
}
