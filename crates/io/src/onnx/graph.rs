//! A graph, and how it is run.

use super::operator::{Args, Operator};
use crate::{Error, Numbers, Tensor};
use std::fmt;

/// A model out of an ONNX file, ready to be run.
#[derive(Debug)]
pub struct Graph {
    pub(crate) file: String,
    pub(crate) inputs: Vec<(Port, usize)>,
    pub(crate) outputs: Vec<(Port, usize)>,
    /// Weights, and the slots that they are in.
    pub(crate) constants: Vec<(usize, Tensor)>,
    /// In the order in which they run.
    pub(crate) nodes: Vec<Node>,
    /// How many values there are.
    pub(crate) slots: usize,
    /// For each node, the slots that nobody needs after it.
    done: Vec<Vec<usize>>,
}

/// An input or output of a graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// What its numbers are, in NumPy's words; `None` where the file does not say.
    pub kind: Option<String>,
    /// Its shape; `None` where the file does not say.
    pub shape: Option<Vec<Dim>>,
}

/// One size of a shape.
#[derive(Clone, Debug, PartialEq)]
pub enum Dim {
    /// Always this.
    Known(usize),
    /// Any; the name, where it has one, as `batch`.
    Free(String),
}

impl fmt::Display for Dim {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Dim::Known(n) => write!(to, "{n}"),
            Dim::Free(name) if name.is_empty() => write!(to, "?"),
            Dim::Free(name) => write!(to, "{name}"),
        }
    }
}

impl fmt::Display for Port {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{} {}", self.name, self.kind.as_deref().unwrap_or("?"))?;
        match &self.shape {
            Some(shape) => {
                let dims: Vec<_> = shape.iter().map(Dim::to_string).collect();
                write!(to, " [{}]", dims.join(", "))
            }
            None => Ok(()),
        }
    }
}

/// How a graph is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Whether 32-bit floats are computed with as 64-bit ones; outputs are what the model says all the same.
    pub wide: bool,
    /// Bytes that all values together may take; a model that needs more ends with an error.
    pub limit: usize,
}

impl Default for Run {
    fn default() -> Run {
        Run {
            wide: false,
            limit: 1 << 30,
        }
    }
}

/// One operator of a graph.
#[derive(Debug)]
pub(crate) struct Node {
    /// Operator and name, for messages.
    pub name: String,
    pub op: Box<dyn Operator>,
    pub inputs: Vec<Option<usize>>,
    pub outputs: Vec<Option<usize>>,
}

/// The value of a slot.
enum Held<'a> {
    Nothing,
    Borrowed(&'a Tensor),
    Owned(Tensor),
}

impl Held<'_> {
    fn get(&self) -> Option<&Tensor> {
        match self {
            Held::Nothing => None,
            Held::Borrowed(tensor) => Some(tensor),
            Held::Owned(tensor) => Some(tensor),
        }
    }
    fn owned_bytes(&self) -> usize {
        match self {
            Held::Owned(tensor) => tensor.bytes(),
            _ => 0,
        }
    }
}

impl Graph {
    pub(crate) fn empty(file: &str) -> Graph {
        Graph {
            file: file.into(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            constants: Vec::new(),
            nodes: Vec::new(),
            slots: 0,
            done: Vec::new(),
        }
    }
    /// What it needs, in order. Those that have a default need not be given.
    pub fn inputs(&self) -> impl Iterator<Item = &Port> {
        self.inputs.iter().map(|(port, _)| port)
    }
    /// Whether an input may be left out.
    pub fn has_default(&self, input: &str) -> bool {
        let slot = self.inputs.iter().find(|(port, _)| port.name == input);
        slot.is_some_and(|(_, slot)| self.constants.iter().any(|(s, _)| s == slot))
    }
    /// What it gives, in order.
    pub fn outputs(&self) -> impl Iterator<Item = &Port> {
        self.outputs.iter().map(|(port, _)| port)
    }

    pub(crate) fn find_last_uses(&mut self) {
        let mut last = vec![None; self.slots];
        for (at, node) in self.nodes.iter().enumerate() {
            for slot in node.inputs.iter().chain(&node.outputs).flatten() {
                last[*slot] = Some(at);
            }
        }
        for (_, slot) in &self.outputs {
            last[*slot] = None;
        }
        self.done = vec![Vec::new(); self.nodes.len()];
        for (slot, at) in last.into_iter().enumerate() {
            if let Some(at) = at {
                self.done[at].push(slot);
            }
        }
    }

    /// The outputs, in order, for inputs by name.
    ///
    /// Errors where an input is missing, unknown or of another type or shape than the graph declares, where a node
    /// cannot take what it is given, and where values would take more than [`Run::limit`].
    pub fn run(&self, inputs: &[(&str, &Tensor)], run: Run) -> Result<Vec<Tensor>, Error> {
        let mut values: Vec<Held<'_>> = Vec::new();
        values.resize_with(self.slots, || Held::Nothing);
        for (slot, tensor) in &self.constants {
            values[*slot] = held(tensor, run.wide);
        }
        // What is the same in every run: the model's own tensors, and what is made of nothing else. Not so what is made of
        // widened ones, which differs from what is made of them as they are.
        let mut fixed: Vec<bool> = values.iter().map(|held| held.get().is_some()).collect();
        self.fill(inputs, run, &mut values)?;
        for (name, _) in inputs {
            for (_, slot) in self.inputs.iter().filter(|(port, _)| port.name == *name) {
                fixed[*slot] = false;
            }
        }
        let mut taken: usize = values.iter().map(Held::owned_bytes).sum();
        for (node, done) in self.nodes.iter().zip(&self.done) {
            let args = Args {
                tensors: node
                    .inputs
                    .iter()
                    .map(|s| s.and_then(|s| values[s].get()))
                    .collect(),
                fixed: node
                    .inputs
                    .iter()
                    .map(|s| s.is_some_and(|s| fixed[s]))
                    .collect(),
                room: run.limit.saturating_sub(taken),
            };
            let wrong = |why| Error::Node {
                file: self.file.clone(),
                node: node.name.clone(),
                why,
            };
            let settled = !run.wide && args.are_fixed(0..node.inputs.len());
            let made = node.op.run(&args).map_err(wrong)?;
            if made.len() < node.outputs.len() {
                let (has, asked) = (made.len(), node.outputs.len());
                return Err(wrong(format!(
                    "it has {has} outputs, and {asked} are asked for"
                )));
            }
            for (slot, tensor) in node.outputs.iter().zip(made) {
                if let Some(slot) = slot {
                    fixed[*slot] = settled;
                    values[*slot] = Held::Owned(widened(tensor, run.wide));
                    taken += values[*slot].owned_bytes();
                }
            }
            for &slot in done {
                taken -= values[slot].owned_bytes();
                values[slot] = Held::Nothing;
            }
        }
        Ok(self.collect(&values))
    }

    /// Checks the inputs and puts them where they are read.
    fn fill<'a>(
        &'a self,
        inputs: &[(&str, &'a Tensor)],
        run: Run,
        values: &mut [Held<'a>],
    ) -> Result<(), Error> {
        let wrong = |input: &str, why: String| Error::Input {
            file: self.file.clone(),
            input: input.into(),
            why,
        };
        let known = || {
            let all: Vec<_> = self.inputs().map(Port::to_string).collect();
            all.join("; ")
        };
        for (at, (name, tensor)) in inputs.iter().enumerate() {
            if inputs[..at].iter().any(|(other, _)| other == name) {
                return Err(wrong(name, "it is given twice".into()));
            }
            let found = self.inputs.iter().find(|(port, _)| port.name == *name);
            let (port, slot) = found.ok_or_else(|| {
                wrong(
                    name,
                    format!("the model has no such input; it has {}", known()),
                )
            })?;
            port.check(tensor).map_err(|why| wrong(name, why))?;
            values[*slot] = held(tensor, run.wide);
        }
        match self
            .inputs
            .iter()
            .find(|(_, slot)| values[*slot].get().is_none())
        {
            Some((port, _)) => Err(wrong(
                &port.name,
                format!("it is missing; the model needs {}", known()),
            )),
            None => Ok(()),
        }
    }

    fn collect(&self, values: &[Held<'_>]) -> Vec<Tensor> {
        let outputs = self.outputs.iter().filter_map(|(port, slot)| {
            let tensor = values[*slot].get()?.clone();
            Some(match (&tensor.numbers, port.kind.as_deref()) {
                (Numbers::F64(x), Some("float32")) => Tensor {
                    numbers: Numbers::F32(x.iter().map(|&x| x as f32).collect()),
                    shape: tensor.shape,
                },
                _ => tensor,
            })
        });
        outputs.collect()
    }
}

fn held(tensor: &Tensor, wide: bool) -> Held<'_> {
    match (&tensor.numbers, wide) {
        (Numbers::F32(_), true) => Held::Owned(widened(tensor.clone(), true)),
        _ => Held::Borrowed(tensor),
    }
}

fn widened(tensor: Tensor, wide: bool) -> Tensor {
    match (tensor.numbers, wide) {
        (Numbers::F32(x), true) => Tensor {
            shape: tensor.shape,
            numbers: Numbers::F64(x.into_iter().map(f64::from).collect()),
        },
        (numbers, _) => Tensor {
            shape: tensor.shape,
            numbers,
        },
    }
}

impl Port {
    /// Whether a tensor is what is declared.
    fn check(&self, tensor: &Tensor) -> Result<(), String> {
        let has = tensor.numbers.kind();
        tensor.check()?;
        if let Some(kind) = &self.kind
            && kind != has
        {
            return Err(format!(
                "it is of {has}, and the model reads {kind}; convert it with array.astype({kind:?})"
            ));
        }
        let Some(shape) = &self.shape else {
            return Ok(());
        };
        let fits = |(dim, &n): (&Dim, &usize)| match dim {
            Dim::Known(known) => *known == n,
            Dim::Free(_) => true,
        };
        match shape.len() == tensor.shape.len() && shape.iter().zip(&tensor.shape).all(fits) {
            true => Ok(()),
            false => Err(format!(
                "its shape is {:?}, and the model reads {self}",
                tensor.shape
            )),
        }
    }
}
