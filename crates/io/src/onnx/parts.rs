//! The parts of a model, where they lie in the file.

use super::fields::{graph as in_graph, model, node as in_node, opset};
use crate::wire::Fields;

/// Limits on structure, which in memory is larger than in the file: a few MB at most.
const MOST_NODES: usize = 20_000;
const MOST_PORTS: usize = 4_096;
const MOST_ARGUMENTS: usize = 100_000;

/// The parts of a model.
pub(super) struct Parts<'a> {
    pub opset: Option<i64>,
    pub nodes: Vec<NodeParts<'a>>,
    pub constants: Vec<&'a [u8]>,
    pub inputs: Vec<&'a [u8]>,
    pub outputs: Vec<&'a [u8]>,
}

/// The parts of a node.
#[derive(Default)]
pub(super) struct NodeParts<'a> {
    pub name: &'a str,
    pub operator: &'a str,
    pub domain: &'a str,
    pub inputs: Vec<&'a str>,
    pub outputs: Vec<&'a str>,
    pub attributes: Vec<&'a [u8]>,
}

impl<'a> Parts<'a> {
    pub fn of_model(bytes: &'a [u8]) -> Result<Parts<'a>, String> {
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
    pub fn shown(&self) -> String {
        let making = match self.name {
            "" => " making",
            _ => "",
        };
        format!("{}{making} {:?}", short(self.operator), short(self.label()))
    }
    /// Its name; where it has none, its first output's.
    pub fn label(&self) -> &'a str {
        match (self.name, self.outputs.first()) {
            ("", Some(output)) => output,
            (name, _) => name,
        }
    }
}

/// The beginning of a name, which in a hostile file may be as long as the file.
pub(super) fn short(text: &str) -> String {
    text.chars().take(60).collect()
}

pub(super) fn is_onnx(domain: &str) -> bool {
    matches!(domain, "" | "ai.onnx")
}
