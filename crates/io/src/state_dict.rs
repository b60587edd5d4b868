//! PyTorch's `state_dict` as safetensors: in under whatever prefix it has, out under PyTorch's names.
//!
//! A `state_dict` holds weights and nothing about the network, so what it was is told from names and shapes; where
//! these leave a choice, the error names the option that makes it.

use crate::names::Family;
use crate::{Error, Model, Tensor, Tensors};
use elman_core::{CellKind, Companions, Input, Network, Params};
use std::collections::{BTreeMap, BTreeSet};

/// What a `state_dict` does not tell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImportOptions {
    /// What stands before `weight_ih_l0`, as `"rnn."`; needed where there are several recurrent layers.
    pub prefix: Option<String>,
    /// The cell; needed for `nn.RNN`, whose weights do not tell tanh from ReLU.
    pub cell: Option<CellKind>,
    /// The linear layer that reads the hidden states, as `"fc"`; `"none"` for none; needed where several could.
    pub readout: Option<String>,
    /// Whether tensors that belong to neither may be left behind; else they are an error.
    pub ignore_others: bool,
    /// Whether the input is one of `F` symbols rather than `F` numbers.
    pub symbols: bool,
}

/// A network out of a `state_dict`.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The network and its weights.
    pub model: Model,
    /// Tensors that were left behind.
    pub ignored: Vec<String>,
    /// The largest relative change of a number by rounding 64-bit floats to 32 bits; 0 where all were of 32 bits.
    pub rounding: f64,
}

/// Makes a network of the tensors of a `state_dict`; `file` is for messages.
pub fn import_state_dict(
    file: &str,
    all: &Tensors,
    options: &ImportOptions,
) -> Result<Imported, Error> {
    let dict = Dict { file, all, options };
    let prefix = dict.prefix()?;
    let (mut network, mut used) = dict.recurrent(&prefix)?;
    let readout = dict.readout(&prefix, &network)?;
    if let Some(name) = &readout {
        network.output = Some(dict.shape(&format!("{name}.weight"))?[0]);
        used.extend([format!("{name}.weight"), format!("{name}.bias")]);
    }
    let ignored: Vec<String> = all.tensors.keys().cloned().collect();
    let ignored: Vec<String> = ignored.into_iter().filter(|n| !used.contains(n)).collect();
    if !ignored.is_empty() && !options.ignore_others {
        let shown: Vec<_> = ignored.iter().take(5).map(String::as_str).collect();
        return Err(dict.wrong(format!(
            "{} tensors belong neither to the recurrent layer nor to its readout ({}{}); without them the network \
             computes something else; set the option ignore-others if that is meant",
            ignored.len(),
            shown.join(", "),
            if ignored.len() > 5 { ", …" } else { "" }
        )));
    }
    let (params, rounding) = dict.params(&network, &prefix, readout.as_deref())?;
    Ok(Imported {
        model: Model {
            network,
            companions: Companions::default(),
            params,
            extra: BTreeMap::new(),
        },
        ignored,
        rounding,
    })
}

/// The tensors under PyTorch's names, `prefix` (as `"rnn."`) before the recurrent layer's and `readout` (as `"fc"`)
/// before the linear layer's; not a bit is changed. An error where PyTorch has no such layer.
pub fn export_state_dict(model: &Model, prefix: &str, readout: &str) -> Result<Tensors, Error> {
    let n = &model.network;
    let refused = |what: &str| Err(Error::format("export to PyTorch", what));
    model.check("export to PyTorch")?;
    if Family::of(n.cell).is_none() {
        return refused(&format!(
            "PyTorch has no layer for the cell {}; export to ONNX instead",
            n.cell.name()
        ));
    }
    if n.layer_norm || n.zoneout > 0.0 {
        return refused(
            "PyTorch's layers have neither layer normalisation nor zoneout; train without",
        );
    }
    if n.learned_state {
        return refused("PyTorch's layers learn no initial state; train with one of zeros");
    }
    let mut all = Tensors::default();
    // What safetensors files written by PyTorch say of themselves.
    all.metadata.insert("format".into(), "pt".into());
    for view in model.params.layout().views() {
        let name = match view.name.strip_prefix("readout.") {
            Some(part) => format!("{readout}.{part}"),
            None => format!("{prefix}{}", view.name),
        };
        let numbers = &model.params.data()[view.range()];
        all.tensors.insert(name, Tensor::f32(&view.shape, numbers));
    }
    Ok(all)
}

struct Dict<'a> {
    file: &'a str,
    all: &'a Tensors,
    options: &'a ImportOptions,
}

impl Dict<'_> {
    fn wrong(&self, why: impl Into<String>) -> Error {
        Error::format(self.file, why)
    }
    fn shape(&self, name: &str) -> Result<&[usize], Error> {
        match self.all.tensors.get(name) {
            Some(tensor) => Ok(&tensor.shape),
            None => Err(self.wrong(format!("there is no tensor {name:?}"))),
        }
    }
    fn matrix(&self, name: &str) -> Result<[usize; 2], Error> {
        match *self.shape(name)? {
            [rows, cols] if rows > 0 && cols > 0 => Ok([rows, cols]),
            ref other => Err(self.wrong(format!("tensor {name:?} is {other:?}, not a matrix"))),
        }
    }

    /// What stands before `weight_ih_l0`.
    fn prefix(&self) -> Result<String, Error> {
        let names = self.all.tensors.keys();
        let there: Vec<&str> = names
            .filter_map(|n| n.strip_suffix("weight_ih_l0"))
            .collect();
        match (&self.options.prefix, there.as_slice()) {
            (Some(prefix), there) => match there.iter().find(|p| *p == prefix) {
                Some(_) => Ok(prefix.clone()),
                None => Err(self.wrong(format!("there is no tensor \"{prefix}weight_ih_l0\""))),
            },
            (None, [one]) => Ok(one.to_string()),
            (None, []) => Err(self.wrong(
                "there is no tensor named …weight_ih_l0: these are not the weights of an RNN, LSTM or GRU of PyTorch",
            )),
            (None, several) => Err(self.wrong(format!(
                "there are {} recurrent layers; choose one with the option prefix: {}",
                several.len(),
                several.iter().map(|p| format!("{p:?}")).collect::<Vec<_>>().join(", ")
            ))),
        }
    }

    /// The network without its readout, and the names of its tensors.
    fn recurrent(&self, prefix: &str) -> Result<(Network, BTreeSet<String>), Error> {
        let name = |what: &str| format!("{prefix}{what}");
        let [_, width] = self.matrix(&name("weight_ih_l0"))?;
        let [rows, hidden] = self.matrix(&name("weight_hh_l0"))?;
        if self.all.tensors.contains_key(&name("weight_hr_l0")) {
            return Err(self.wrong("this LSTM has a projection (proj_size), which elman has not"));
        }
        let family = Family::with_gates(rows / hidden).filter(|_| rows % hidden == 0);
        let family = family.ok_or_else(|| {
            self.wrong(format!(
                "tensor {:?} is [{rows}, {hidden}]; an RNN has 1, a GRU 3, an LSTM 4 times as many rows as columns",
                name("weight_hh_l0")
            ))
        })?;
        let layers = (0..).take_while(|l| {
            let key = name(&format!("weight_hh_l{l}"));
            self.all.tensors.contains_key(&key)
        });
        let input = match self.options.symbols {
            true => Input::Symbols(width),
            false => Input::Features(width),
        };
        let network = Network {
            layers: layers.count(),
            bidirectional: self.all.tensors.contains_key(&name("weight_ih_l0_reverse")),
            output: None,
            ..Network::new(self.cell(family, prefix)?, input, hidden, 1)
        };
        let used = elman_core::Layout::of(&network).map_err(|e| self.wrong(e.to_string()))?;
        let used = used.views().iter().map(|v| name(&v.name)).collect();
        Ok((network, used))
    }

    fn cell(&self, family: Family, prefix: &str) -> Result<CellKind, Error> {
        let fits = |cell: CellKind| {
            let leaky = self.all.tensors.contains_key(&format!("{prefix}leak_l0"));
            let sizes = cell.sizes();
            sizes.from_x.len() == family.gates().len()
                && sizes.from_h.len() == family.gates().len()
                && sizes.unit == usize::from(leaky)
                && cell.has_leak() == leaky
        };
        match self.options.cell {
            Some(cell) if fits(cell) => Ok(cell),
            Some(cell) => Err(self.wrong(format!(
                "the option cell says {}, and the shapes are those of {}",
                cell.name(),
                family.torch()
            ))),
            None => {
                // PyTorch has no GRU with its reset before the product: it must be asked for.
                let reset_after = |c: CellKind| {
                    let onnx = c.about().onnx;
                    onnx.is_none_or(|onnx| onnx.linear_before_reset != Some(false))
                };
                let known = CellKind::ALL.iter().copied();
                let known: Vec<CellKind> = known.filter(|&c| fits(c) && reset_after(c)).collect();
                match known.as_slice() {
                    [one] => Ok(*one),
                    several => Err(self.wrong(format!(
                        "weights alone do not tell the activation: say which with the option cell: {} (PyTorch's \
                         default is tanh: elman)",
                        several.iter().map(|c| c.name()).collect::<Vec<_>>().join(", ")
                    ))),
                }
            }
        }
    }

    /// The linear layer that reads the hidden states.
    fn readout(&self, prefix: &str, network: &Network) -> Result<Option<String>, Error> {
        let reads = network.directions() * network.hidden;
        let could = |name: &str| matches!(self.matrix(&format!("{name}.weight")), Ok([_, cols]) if cols == reads);
        match self.options.readout.as_deref() {
            Some("none") => return Ok(None),
            Some(name) if could(name) => return Ok(Some(name.into())),
            Some(name) => {
                return Err(self.wrong(format!(
                    "the option readout says {name:?}, and \"{name}.weight\" is not a matrix of {reads} columns"
                )));
            }
            None => {}
        }
        let linear = self.all.tensors.keys().filter_map(|key| {
            let name = key.strip_suffix(".weight")?;
            let of_the_layer = key.starts_with(&format!("{prefix}weight_"));
            (!of_the_layer && !name.contains("embed") && could(name)).then_some(name)
        });
        match linear.collect::<Vec<_>>().as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(one.to_string())),
            several => Err(self.wrong(format!(
                "several linear layers could read the hidden states; choose one with the option readout: {}, none",
                several.join(", ")
            ))),
        }
    }

    /// Every parameter; biases that are not there (`bias=False`) are zero.
    fn params(
        &self,
        network: &Network,
        prefix: &str,
        readout: Option<&str>,
    ) -> Result<(Params<f32>, f64), Error> {
        let layout = elman_core::Layout::of(network).map_err(|e| self.wrong(e.to_string()))?;
        let place = |ours: &str| match ours.strip_prefix("readout.") {
            Some(part) => format!("{}.{part}", readout.unwrap_or("readout")),
            None => format!("{prefix}{ours}"),
        };
        // Every shape is checked before anything is allocated.
        for view in layout.views() {
            let name = place(&view.name);
            let may_lack = view.name.contains("bias");
            match self.all.tensors.get(&name) {
                None if may_lack => {}
                None => return Err(self.wrong(format!("there is no tensor {name:?}"))),
                Some(tensor) if tensor.shape != view.shape => {
                    return Err(self.wrong(format!(
                        "tensor {name:?} is {:?}, and the network needs {:?}",
                        tensor.shape, view.shape
                    )));
                }
                Some(tensor) => tensor
                    .check()
                    .map_err(|why| self.wrong(format!("tensor {name:?}: {why}")))?,
            }
        }
        let mut params = Params::zeros(network).map_err(|e| self.wrong(e.to_string()))?;
        let mut rounding = 0.0_f64;
        for view in layout.views() {
            let name = place(&view.name);
            let Some(tensor) = self.all.tensors.get(&name) else {
                continue;
            };
            let to = &mut params.data_mut()[view.range()];
            if !tensor.numbers.are_floats() {
                return Err(self.wrong(format!(
                    "tensor {name:?} is of {}, and floats are needed",
                    tensor.numbers.kind()
                )));
            }
            for (at, to) in to.iter_mut().enumerate() {
                let x = tensor.numbers.number(at);
                *to = x as f32;
                if x != 0.0 {
                    rounding = rounding.max(((f64::from(*to) - x) / x).abs());
                }
            }
            if let Some(at) = to.iter().position(|x| !x.is_finite()) {
                return Err(self.wrong(format!("number {at} of tensor {name:?} is {}", to[at])));
            }
        }
        Ok((params, rounding))
    }
}
