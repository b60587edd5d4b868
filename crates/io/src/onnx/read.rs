//! From the bytes of a model to a graph that can be run.

use super::attributes::Attributes;
use super::fields::{graph as in_graph, model, node as in_node, opset, value as in_value};
use super::graph::{Dim, Graph, Node, Port};
use super::ops;
use super::tensor::{Decoder, MOST_DIMENSIONS, type_name};
use crate::wire::Fields;
use crate::{Error, read_file};
use std::cell::Cell;
use std::collections::HashMap;
use std::path::Path;

/// The versions of ONNX's operators that are read.
const VERSIONS: std::ops::RangeInclusive<i64> = 7..=28;
/// Limits on structure, which in memory is larger than in the file: a few MB at most.
const MOST_NODES: usize = 20_000;
const MOST_PORTS: usize = 4_096;
const MOST_ARGUMENTS: usize = 100_000;
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
    let mut reader = Reader {
        file,
        decoder: &decoder,
        version,
        slots: HashMap::new(),
        graph: Graph::empty(file),
    };
    reader.constants(&parts).map_err(wrong)?;
    reader.inputs(&parts).map_err(wrong)?;
    for at in 0..parts.nodes.len() {
        reader.node(&parts, at)?;
    }
    reader.outputs(&parts).map_err(wrong)?;
    let mut graph = reader.graph;
    graph.find_last_uses();
    Ok(graph)
}

/// The parts of a model, where they lie in the file.
struct Parts<'a> {
    opset: Option<i64>,
    nodes: Vec<NodeParts<'a>>,
    constants: Vec<&'a [u8]>,
    inputs: Vec<&'a [u8]>,
    outputs: Vec<&'a [u8]>,
}

/// The parts of a node.
#[derive(Default)]
struct NodeParts<'a> {
    name: &'a str,
    operator: &'a str,
    domain: &'a str,
    inputs: Vec<&'a str>,
    outputs: Vec<&'a str>,
    attributes: Vec<&'a [u8]>,
}

impl<'a> Parts<'a> {
    fn of_model(bytes: &'a [u8]) -> Result<Parts<'a>, String> {
        let (mut graph, mut version) = (None, None);
        for next in Fields::new(bytes) {
            match next? {
                (model::GRAPH, message) => {
                    let other = graph.replace(message.bytes()?);
                    if other.is_some() {
                        return Err("it has two graphs".into());
                    }
                }
                (model::OPSET_IMPORT, message) => {
                    let (mut domain, mut number) = ("", 0);
                    for next in Fields::new(message.bytes()?) {
                        match next? {
                            (opset::DOMAIN, x) => domain = x.text()?,
                            (opset::VERSION, x) => number = x.int()?,
                            _ => {}
                        }
                    }
                    if is_onnx(domain) {
                        version = Some(number);
                    }
                }
                _ => {}
            }
        }
        let mut parts = Parts {
            opset: version,
            nodes: Vec::new(),
            constants: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
        };
        parts.fill(graph.ok_or("it has no graph")?)?;
        Ok(parts)
    }

    fn fill(&mut self, graph: &'a [u8]) -> Result<(), String> {
        let mut arguments = 0;
        for next in Fields::new(graph) {
            let (number, value) = next?;
            let (list, most, what) = match number {
                in_graph::NODE => {
                    let node = NodeParts::read(value.bytes()?)?;
                    arguments += node.inputs.len() + node.outputs.len() + node.attributes.len();
                    if self.nodes.len() == MOST_NODES || arguments > MOST_ARGUMENTS {
                        return Err(format!(
                            "it has more than {MOST_NODES} nodes, or more than {MOST_ARGUMENTS} of their arguments"
                        ));
                    }
                    self.nodes.push(node);
                    continue;
                }
                in_graph::INITIALIZER => (&mut self.constants, MOST_NODES, "tensors"),
                in_graph::INPUT => (&mut self.inputs, MOST_PORTS, "inputs"),
                in_graph::OUTPUT => (&mut self.outputs, MOST_PORTS, "outputs"),
                in_graph::SPARSE_INITIALIZER => {
                    return Err("sparse tensors are not supported".into());
                }
                _ => continue,
            };
            if list.len() == most {
                return Err(format!("it has more than {most} {what}"));
            }
            list.push(value.bytes()?);
        }
        Ok(())
    }
}

impl<'a> NodeParts<'a> {
    fn read(message: &'a [u8]) -> Result<NodeParts<'a>, String> {
        let mut node = NodeParts::default();
        for next in Fields::new(message) {
            let (number, value) = next?;
            match number {
                in_node::INPUT => node.inputs.push(value.text()?),
                in_node::OUTPUT => node.outputs.push(value.text()?),
                in_node::NAME => node.name = value.text()?,
                in_node::OP_TYPE => node.operator = value.text()?,
                in_node::DOMAIN => node.domain = value.text()?,
                in_node::ATTRIBUTE => node.attributes.push(value.bytes()?),
                _ => {}
            }
            if node.inputs.len() + node.outputs.len() + node.attributes.len() > MOST_ARGUMENTS {
                return Err(format!("a node has more than {MOST_ARGUMENTS} arguments"));
            }
        }
        Ok(node)
    }
    /// For messages: the operator, and the node's name or what it makes.
    fn shown(&self) -> String {
        let short = |text: &str| text.chars().take(60).collect::<String>();
        match (self.name, self.outputs.first()) {
            ("", Some(output)) => format!("{} making {:?}", short(self.operator), short(output)),
            (name, _) => format!("{} {:?}", short(self.operator), short(name)),
        }
    }
}

fn is_onnx(domain: &str) -> bool {
    matches!(domain, "" | "ai.onnx")
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

    fn constants(&mut self, parts: &Parts<'a>) -> Result<(), String> {
        for message in &parts.constants {
            let (name, tensor) = self.decoder.read(message)?;
            if name.is_empty() {
                return Err("a tensor has no name".into());
            }
            let slot = self.new_slot(name)?;
            self.graph.constants.push((slot, tensor));
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

    fn node(&mut self, parts: &Parts<'a>, at: usize) -> Result<(), Error> {
        let node = &parts.nodes[at];
        let unsupported = |what: String| Error::Unsupported {
            file: self.file.into(),
            what,
        };
        let wrong = |why: String| Error::Node {
            file: self.file.into(),
            node: node.shown(),
            why,
        };
        if !is_onnx(node.domain) {
            return Err(unsupported(format!(
                "operator {} of the domain {:?}",
                node.shown(),
                node.domain
            )));
        }
        let operator = ops::find(node.operator)
            .ok_or_else(|| unsupported(format!("operator {}", node.shown())))?;
        let attributes = Attributes::new(&node.attributes, self.decoder, self.version);
        let mut attributes = attributes.map_err(wrong)?;
        let op = operator(&mut attributes).map_err(wrong)?;
        if let Some(name) = attributes.left_over() {
            return Err(unsupported(format!(
                "attribute {name:?} of operator {}",
                node.shown()
            )));
        }
        let mut inputs = Vec::with_capacity(node.inputs.len());
        for &name in &node.inputs {
            inputs.push(match name {
                "" => None,
                name => Some(*self.slots.get(name).ok_or_else(|| {
                    let later = parts.nodes[at..].iter().any(|n| n.outputs.contains(&name));
                    wrong(match later {
                        true => format!(
                            "it needs {name:?}, which only itself or a later node makes: the graph is not sorted, or \
                             runs in a circle"
                        ),
                        false => format!("it needs {name:?}, which nothing makes"),
                    })
                })?),
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
