//! A network with its parameters, as safetensors under PyTorch's names; all else in the metadata.

use crate::tensors::{count, without_checksum};
use crate::{Error, Numbers, Tensor, Tensors, read_file, write_bytes};
use elman_core::{CellKind, Companions, Input, Layout, Leak, Network, Params};
use std::collections::BTreeMap;
use std::path::Path;

/// The number of the format, in `elman.format`.
const FORMAT: &str = "1";

/// A network, its parameters, and what else is needed to use it.
#[derive(Clone, Debug)]
pub struct Model {
    /// The network.
    pub network: Network,
    /// What stands beside it and was learned with it.
    pub companions: Companions,
    /// Their parameters.
    pub params: Params<f32>,
    /// Text of the caller's own: scaling, vocabulary, configuration.
    pub extra: BTreeMap<String, String>,
}

impl Model {
    /// That the parameters are those of the network and its companions; `file` is for messages.
    pub(crate) fn check(&self, file: &str) -> Result<(), Error> {
        let (layout, companions) = (self.params.layout(), &self.companions);
        let networks = companions.encoder.iter().chain([&self.network]);
        let fits = networks.into_iter().all(|n| fits(n, layout.len()))
            && companions
                .matrices
                .iter()
                .all(|(_, shape)| count(shape).is_some_and(|n| n <= layout.len()));
        match fits && Layout::with(&self.network, companions).is_ok_and(|own| *layout == own) {
            true => Ok(()),
            false => Err(Error::format(
                file,
                "its parameters are those of another network",
            )),
        }
    }

    /// As safetensors. An error where the parameters are those of another network.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        self.check("the model")?;
        let mut all = Tensors::default();
        let mut say =
            |key: String, value: String| all.metadata.insert(format!("elman.{key}"), value);
        say("format".into(), FORMAT.into());
        describe("", &self.network, &mut say);
        if let Some(encoder) = &self.companions.encoder {
            describe(Companions::ENCODER, encoder, &mut say);
        }
        let matrices: Vec<String> = self.companions.matrices.iter().map(written).collect();
        if !matrices.is_empty() {
            say("matrices".into(), matrices.join(" "));
        }
        for (key, value) in &self.extra {
            all.metadata.insert(format!("extra.{key}"), value.clone());
        }
        for view in self.params.layout().views() {
            let numbers = &self.params.data()[view.range()];
            all.tensors
                .insert(view.name.clone(), Tensor::f32(&view.shape, numbers));
        }
        all.to_bytes()
    }

    /// From safetensors; `file` is for messages.
    pub fn from_bytes(file: &str, bytes: &[u8]) -> Result<Model, Error> {
        match Stored::from_bytes(file, bytes)? {
            Stored::Model(model) => Ok(model),
            Stored::Tensors(_) => Err(Error::format(
                file,
                "it does not say its elman.format: it was not written by elman; use elman convert for others",
            )),
        }
    }

    fn from_tensors(file: &str, all: &Tensors) -> Result<Model, Error> {
        let wrong = |why: String| Error::format(file, why);
        let format = all.metadata.get("elman.format").map_or("", String::as_str);
        if format != FORMAT {
            return Err(wrong(format!(
                "it is of format {format}, and this elman reads format {FORMAT}; use the version that wrote it"
            )));
        }
        let network = described(file, "", &all.metadata)?;
        let has_encoder = all.metadata.contains_key("elman.encoder.cell");
        let companions = Companions {
            encoder: match has_encoder {
                true => Some(described(file, Companions::ENCODER, &all.metadata)?),
                false => None,
            },
            matrices: match all.metadata.get("elman.matrices") {
                Some(text) => matrices(file, text)?,
                None => Vec::new(),
            },
        };
        let params = params(file, &network, &companions, all)?;
        let extra = all.metadata.iter();
        let extra = extra.filter_map(|(k, v)| Some((k.strip_prefix("extra.")?.into(), v.clone())));
        Ok(Model {
            network,
            companions,
            params,
            extra: extra.collect(),
        })
    }
}

/// What a safetensors file holds.
#[derive(Clone, Debug)]
pub enum Stored {
    /// A model that elman wrote.
    Model(Model),
    /// Tensors of another program.
    Tensors(Tensors),
}

impl Stored {
    /// From safetensors; `file` is for messages. A model of elman must have its checksum.
    pub fn from_bytes(file: &str, bytes: &[u8]) -> Result<Stored, Error> {
        match Tensors::read(file, bytes)? {
            (all, _) if !all.metadata.contains_key("elman.format") => Ok(Stored::Tensors(all)),
            (all, true) => Ok(Stored::Model(Model::from_tensors(file, &all)?)),
            (_, false) => Err(without_checksum(file)),
        }
    }
}

/// Says what a network is made of; its keys begin with `prefix`.
fn describe(prefix: &str, n: &Network, say: &mut impl FnMut(String, String) -> Option<String>) {
    let input = match n.input {
        Input::Features(width) => format!("features:{width}"),
        Input::Symbols(known) => format!("symbols:{known}"),
    };
    let output = n.output.map_or("none".to_string(), |o| o.to_string());
    for (key, value) in [
        ("cell", n.cell.name().to_string()),
        ("input", input),
        ("hidden", n.hidden.to_string()),
        ("layers", n.layers.to_string()),
        ("bidirectional", n.bidirectional.to_string()),
        ("output", output),
        ("learned_state", n.learned_state.to_string()),
    ] {
        say(format!("{prefix}{key}"), value);
    }
    // What a network need not have is said only where it has it, as files did before there was any of it.
    for (key, has) in [
        ("leak_shared", n.leak.shared),
        ("leak_fixed", n.leak.fixed),
        ("layer_norm", n.layer_norm),
    ] {
        if has {
            say(format!("{prefix}{key}"), has.to_string());
        }
    }
    if n.zoneout > 0.0 {
        say(format!("{prefix}zoneout"), n.zoneout.to_string());
    }
}

/// What [`describe`] said.
fn described(
    file: &str,
    prefix: &str,
    metadata: &BTreeMap<String, String>,
) -> Result<Network, Error> {
    let get = |key: &str| {
        let key = format!("elman.{prefix}{key}");
        metadata.get(&key).ok_or_else(|| {
            let why = format!("it does not say its {key}, and was cut or changed");
            Error::format(file, why)
        })
    };
    let number = |key: &str, text: &str| parse::<usize>(file, key, text);
    let (cell, input) = (get("cell")?, get("input")?);
    let input = match input.split_once(':') {
        Some(("features", n)) => Input::Features(number("input", n)?),
        Some(("symbols", n)) => Input::Symbols(number("input", n)?),
        _ => return Err(senseless(file, "input", input)),
    };
    let unknown = || {
        Error::format(
            file,
            format!("its cell {cell:?} is not known to this elman"),
        )
    };
    let has = |key: &str| match metadata.get(&format!("elman.{prefix}{key}")) {
        Some(text) => parse::<bool>(file, key, text),
        None => Ok(false),
    };
    let cell = CellKind::by_name(cell).ok_or_else(unknown)?;
    Ok(Network {
        layers: number("layers", get("layers")?)?,
        bidirectional: parse(file, "bidirectional", get("bidirectional")?)?,
        output: match get("output")?.as_str() {
            "none" => None,
            n => Some(number("output", n)?),
        },
        learned_state: parse(file, "learned_state", get("learned_state")?)?,
        leak: Leak {
            shared: has("leak_shared")?,
            fixed: has("leak_fixed")?,
        },
        layer_norm: has("layer_norm")?,
        zoneout: match metadata.get(&format!("elman.{prefix}zoneout")) {
            Some(text) => parse(file, "zoneout", text)?,
            None => 0.0,
        },
        ..Network::new(cell, input, number("hidden", get("hidden")?)?, 1)
    })
}

fn parse<T: std::str::FromStr>(file: &str, key: &str, text: &str) -> Result<T, Error> {
    text.parse().map_err(|_| senseless(file, key, text))
}

fn senseless(file: &str, key: &str, text: &str) -> Error {
    let why = format!("its elman.{key} is {text:?}, which makes no sense");
    Error::format(file, why)
}

/// Name and shape, as in `bridge.weight:32x64`.
fn written((name, shape): &(String, Vec<usize>)) -> String {
    let shape: Vec<String> = shape.iter().map(usize::to_string).collect();
    format!("{name}:{}", shape.join("x"))
}

/// What [`written`] wrote.
fn matrices(file: &str, text: &str) -> Result<Vec<(String, Vec<usize>)>, Error> {
    let one = |entry: &str| {
        let (name, shape) = entry
            .split_once(':')
            .ok_or_else(|| senseless(file, "matrices", text))?;
        let shape = shape.split('x').map(|n| parse(file, "matrices", n));
        Ok((name.to_string(), shape.collect::<Result<Vec<_>, Error>>()?))
    };
    text.split(' ').map(one).collect()
}

/// Whether a network needs no more than `stored` numbers, found without allocating: sizes are only what a file says.
fn fits(network: &Network, stored: usize) -> bool {
    // Of each layer and direction: W_ih and b_ih, which every cell has, and W_hh.
    let sizes = network.cell.sizes();
    let recurrent = network.hidden.checked_mul(sizes.from_h.len());
    let needs = recurrent
        .and_then(|n| n.checked_add(2 * sizes.from_x.len()))
        .and_then(|n| n.checked_mul(network.hidden))
        .and_then(|n| n.checked_mul(network.directions()))
        .and_then(|n| n.checked_mul(network.layers))
        .and_then(|n| n.checked_add(network.input.width()));
    needs.is_some_and(|n| n <= stored)
        && network.output.is_none_or(|o| o <= stored)
        && network.check().is_ok()
}

/// The parameters of a network and its companions among tensors of the same names and shapes.
fn params(
    file: &str,
    network: &Network,
    companions: &Companions,
    all: &Tensors,
) -> Result<Params<f32>, Error> {
    let wrong = |why: String| Error::format(file, why);
    let stored: usize = all.tensors.values().map(|t| t.numbers.len()).sum();
    let matrices_fit = companions
        .matrices
        .iter()
        .all(|(_, shape)| count(shape).is_some_and(|n| n <= stored));
    let fits = fits(network, stored)
        && companions.encoder.as_ref().is_none_or(|e| fits(e, stored))
        && matrices_fit
        // Every size is small now, and so is the layout.
        && Layout::with(network, companions).is_ok_and(|l| l.len() <= stored);
    if !fits {
        return Err(wrong("it has fewer numbers than its sizes need".into()));
    }
    let mut params = Params::zeros_with(network, companions).map_err(|e| wrong(e.to_string()))?;
    for view in params.layout().views().to_vec() {
        let tensor = all
            .tensors
            .get(&view.name)
            .ok_or_else(|| wrong(format!("there is no tensor {:?}", view.name)))?;
        if tensor.shape != view.shape {
            return Err(wrong(format!(
                "tensor {:?} is {:?}, and the network needs {:?}",
                view.name, tensor.shape, view.shape
            )));
        }
        let Numbers::F32(numbers) = &tensor.numbers else {
            return Err(wrong(format!(
                "tensor {:?} is not of 32-bit floats",
                view.name
            )));
        };
        if let Some(at) = tensor.numbers.not_finite() {
            return Err(wrong(format!(
                "number {at} of tensor {:?} is {}",
                view.name, numbers[at]
            )));
        }
        params.data_mut()[view.range()].copy_from_slice(numbers);
    }
    Ok(params)
}

/// Reads a model file.
pub fn read_model(path: &Path) -> Result<Model, Error> {
    let bytes = read_file(path)?;
    Model::from_bytes(&path.display().to_string(), &bytes)
}

/// Writes a model file, beside and renamed.
pub fn write_model(path: &Path, model: &Model) -> Result<(), Error> {
    write_bytes(path, &model.to_bytes()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use elman_core::Init;

    #[test]
    fn there_and_back_for_every_cell() {
        for &cell in CellKind::ALL {
            let network = Network {
                layers: 2,
                bidirectional: true,
                learned_state: true,
                ..Network::new(cell, Input::Features(3), 5, 2)
            };
            let leaky = cell.has_leak();
            let leak = Leak {
                shared: leaky,
                fixed: leaky,
            };
            let network = Network {
                leak,
                layer_norm: true,
                zoneout: 0.1,
                ..network
            };
            let params = Init::default().params(&network, 3).unwrap();
            let extra = BTreeMap::from([("task".to_string(), "\"forecast\"".to_string())]);
            let model = Model {
                network,
                companions: Companions::default(),
                params,
                extra,
            };
            let read = Model::from_bytes("m", &model.to_bytes().unwrap()).unwrap();
            assert_eq!(read.network, model.network);
            assert_eq!(read.params.data(), model.params.data());
            assert_eq!(read.extra, model.extra);
        }
    }
    #[test]
    fn sizes_are_not_believed() {
        let network = Network::new(CellKind::Elman, Input::Features(1), 2, 1);
        let model = Model {
            companions: Companions::default(),
            params: Init::default().params(&network, 3).unwrap(),
            network,
            extra: BTreeMap::new(),
        };
        let mut all = Tensors::from_bytes("m", &model.to_bytes().unwrap()).unwrap();
        for huge in ["1000000000", "18446744073709551615"] {
            for key in ["elman.hidden", "elman.layers", "elman.output"] {
                let mut bad = all.clone();
                bad.metadata.insert(key.into(), huge.into());
                assert!(Model::from_bytes("m", &bad.to_bytes().unwrap()).is_err());
            }
        }
        all.metadata.insert("elman.format".into(), "99".into());
        let error = Model::from_bytes("m", &all.to_bytes().unwrap()).unwrap_err();
        assert!(error.to_string().contains("format 99"), "{error}");
    }
}
