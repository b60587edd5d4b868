//! From the bytes of a model to a graph that can be run.

use super::attributes::Attributes;
use super::fields::value as in_value;
use super::graph::{Dim, Graph, Node, Port};
use super::ops;
use super::order::Order;
use super::parts::{NodeParts, Parts, is_onnx, short};
use super::tensor::{Decoder, MOST_DIMENSIONS, type_name};
use crate::wire::Fields;
use crate::{Error, read_file};
use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// The versions of ONNX's operators that are read.
const VERSIONS: std::ops::RangeInclusive<i64> = 7..=28;
/// Operators that one message names.
const MOST_SHOWN: usize = 20;
/// Tensors may take four times the file's size; small files need not be counted.
const SMALL: usize = 1 << 20;

impl Graph {
    /// Reads a model file, and the files beside it where its weights lie there.
    pub fn read(path: &Path) -> Result<Graph, Error> {
        let bytes = read_file(path)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        load(&path.display().to_string(), &bytes, Some(folder))
    }
    /// Reads a model; `file` is for messages. Weights in other files are an error.
    pub fn from_bytes(file: &str, bytes: &[u8]) -> Result<Graph, Error> {
        load(file, bytes, None)
    }
}

fn load(file: &str, bytes: &[u8], folder: Option<&Path>) -> Result<Graph, Error> {
    let decoder = Decoder {
        folder,
        room: Cell::new(SMALL + bytes.len().saturating_mul(3)),
    };
    let wrong = |why: String| Error::format(file, why);
    let parts = Parts::of_model(bytes).map_err(|why| {
        wrong(format!(
            "this is not a whole ONNX model: {why}; export it again"
        ))
    })?;
    let version = parts.opset.ok_or_else(|| {
        wrong("it does not say the version of its operators (opset_import); export it again".into())
    })?;
    if !VERSIONS.contains(&version) {
        return Err(Error::Unsupported {
            file: file.into(),
            what: format!(
                "version {version} of ONNX's operators ({} to {} are)",
                VERSIONS.start(),
                VERSIONS.end()
            ),
        });
    }
    let order = Order::of(&parts).map_err(wrong)?;
    check_operators(file, &order)?;
    let mut reader = Reader {
        file,
        decoder: &decoder,
        version,
        slots: HashMap::new(),
        graph: Graph::empty(file),
    };
    reader.constants(&parts, &order).map_err(wrong)?;
    reader.inputs(&parts).map_err(wrong)?;
    for node in &order.nodes {
        reader.node(node)?;
    }
    reader.outputs(&parts).map_err(wrong)?;
    let mut graph = reader.graph;
    graph.find_last_uses();
    Ok(graph)
}

/// That there is an operator for every node: one error for all that are missing.
fn check_operators(file: &str, order: &Order<'_>) -> Result<(), Error> {
    let mut missing: BTreeMap<(&str, &str), (usize, &str)> = BTreeMap::new();
    for node in &order.nodes {
        if !is_onnx(node.domain) || ops::find(node.operator).is_none() {
            let found = missing.entry((node.operator, node.domain));
            found.or_insert((0, node.label())).0 += 1;
        }
    }
    let one = |(&(operator, domain), &(count, first)): (&(&str, &str), &(usize, &str))| {
        let domain = match is_onnx(domain) {
            true => String::new(),
            false => format!(" of the domain {:?}", short(domain)),
        };
        let nodes = match count {
            1 => "1 node".to_string(),
            n => format!("{n} nodes, the first"),
        };
        format!("{}{domain} ({nodes}: {:?})", short(operator), short(first))
    };
    let shown: Vec<String> = missing.iter().take(MOST_SHOWN).map(one).collect();
    let more = match missing.len().saturating_sub(MOST_SHOWN) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    match missing.len() {
        0 => Ok(()),
        n => Err(Error::Unsupported {
            file: file.into(),
            what: format!(
                "a graph with the operator{} {}{more}",
                if n == 1 { "" } else { "s" },
                shown.join(", ")
            ),
        }),
    }
}

struct Reader<'a> {
    file: &'a str,
    decoder: &'a Decoder<'a>,
    version: i64,
    /// Which slot holds the value of a name.
    slots: HashMap<&'a str, usize>,
    graph: Graph,
}

impl<'a> Reader<'a> {
    /// A slot for a value that is made here.
    fn new_slot(&mut self, name: &'a str) -> Result<usize, String> {
        let slot = self.graph.slots;
        if self.slots.insert(name, slot).is_some() {
            return Err(format!("two things make the value {name:?}"));
        }
        self.graph.slots += 1;
        Ok(slot)
    }

    /// The tensors that something reads.
    fn constants(&mut self, parts: &Parts<'a>, order: &Order<'a>) -> Result<(), String> {
        let mut read = order.read.clone();
        for message in &parts.inputs {
            // A tensor of an input's name is what the input is where none is given.
            read.insert(port(message)?.0);
        }
        for message in &parts.constants {
            let name = Decoder::name(message)?;
            if name.is_empty() {
                return Err("a tensor has no name".into());
            }
            if read.contains(name) {
                let tensor = self.decoder.read(message)?.1;
                let slot = self.new_slot(name)?;
                self.graph.constants.push((slot, tensor));
            }
        }
        Ok(())
    }

    fn inputs(&mut self, parts: &Parts<'a>) -> Result<(), String> {
        for message in &parts.inputs {
            let (name, port) = port(message)?;
            // A tensor of the same name is what the input is where none is given.
            let slot = match self.slots.get(name) {
                Some(&slot) if self.graph.inputs.iter().all(|(_, s)| *s != slot) => slot,
                _ => self.new_slot(name)?,
            };
            self.graph.inputs.push((port, slot));
        }
        Ok(())
    }

    fn node(&mut self, node: &NodeParts<'a>) -> Result<(), Error> {
        let unsupported = |what: String| Error::Unsupported {
            file: self.file.into(),
            what: format!("{what} {}", node.shown()),
        };
        let wrong = |why: String| Error::Node {
            file: self.file.into(),
            node: node.shown(),
            why,
        };
        let operator = ops::find(node.operator).ok_or_else(|| unsupported("operator".into()))?;
        let attributes = Attributes::new(&node.attributes, self.decoder, self.version);
        let mut attributes = attributes.map_err(wrong)?;
        let op = operator(&mut attributes).map_err(wrong)?;
        if let Some(name) = attributes.left_over() {
            return Err(unsupported(format!("attribute {name:?} of operator")));
        }
        let mut inputs = Vec::with_capacity(node.inputs.len());
        for &name in &node.inputs {
            inputs.push(match name {
                "" => None,
                name => Some(
                    *self
                        .slots
                        .get(name)
                        .ok_or_else(|| wrong(format!("it needs {name:?}, which nothing makes")))?,
                ),
            });
        }
        let mut outputs = Vec::with_capacity(node.outputs.len());
        for &name in &node.outputs {
            outputs.push(match name {
                "" => None,
                name => {
                    let slot = self.new_slot(name);
                    Some(slot.map_err(|why| Error::Node {
                        file: self.file.into(),
                        node: node.shown(),
                        why,
                    })?)
                }
            });
        }
        self.graph.nodes.push(Node {
            name: node.shown(),
            op,
            inputs,
            outputs,
        });
        Ok(())
    }

    fn outputs(&mut self, parts: &Parts<'a>) -> Result<(), String> {
        for message in &parts.outputs {
            let (name, port) = port(message)?;
            let slot = self.slots.get(name);
            let slot = *slot.ok_or_else(|| format!("nothing makes the output {name:?}"))?;
            self.graph.outputs.push((port, slot));
        }
        if self.graph.outputs.is_empty() {
            return Err("it has no outputs".into());
        }
        Ok(())
    }
}

/// `ValueInfoProto`
fn port(message: &[u8]) -> Result<(&str, Port), String> {
    let mut name = "";
    let mut port = Port {
        name: String::new(),
        kind: None,
        shape: None,
    };
    for next in Fields::new(message) {
        match next? {
            (in_value::NAME, text) => name = text.text()?,
            (in_value::TYPE, message) => {
                for next in Fields::new(message.bytes()?) {
                    match next? {
                        (in_value::TENSOR_TYPE, tensor) => tensor_type(tensor.bytes()?, &mut port)?,
                        (number, _) => {
                            return Err(format!(
                                "{name:?} is not a tensor (type number {number}), which is not supported"
                            ));
                        }
                    }
                }
            }
            _ => {}
        }
    }
    if name.is_empty() {
        return Err("an input or output has no name".into());
    }
    port.name = name.into();
    Ok((name, port))
}

fn tensor_type(message: &[u8], port: &mut Port) -> Result<(), String> {
    for next in Fields::new(message) {
        match next? {
            (in_value::ELEM_TYPE, kind) => port.kind = Some(type_name(kind.int()?)),
            (in_value::SHAPE, shape) => {
                let mut dims = Vec::new();
                for next in Fields::new(shape.bytes()?) {
                    if let (in_value::DIM, dim) = next? {
                        if dims.len() == MOST_DIMENSIONS {
                            return Err("an input or output has too many dimensions".into());
                        }
                        dims.push(dimension(dim.bytes()?)?);
                    }
                }
                port.shape = Some(dims);
            }
            _ => {}
        }
    }
    Ok(())
}

fn dimension(message: &[u8]) -> Result<Dim, String> {
    let mut dim = Dim::Free(String::new());
    for next in Fields::new(message) {
        match next? {
            (in_value::DIM_VALUE, n) => {
                let n = n.int()?;
                let size = usize::try_from(n);
                dim = Dim::Known(size.map_err(|_| format!("a dimension of {n} makes no sense"))?);
            }
            (in_value::DIM_PARAM, name) => dim = Dim::Free(name.text()?.into()),
            _ => {}
        }
    }
    Ok(dim)
}
