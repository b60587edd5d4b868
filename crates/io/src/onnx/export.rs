//! A network as an ONNX model.
//!
//! | input or output | shape | |
//! |---|---|---|
//! | `x` | `[time, batch, features]`; symbols: `[time, batch]`, int64 | in the data's units |
//! | `h0`, of an LSTM also `c0` | `[layers·directions, batch, hidden]` | the state before the first step |
//! | `y` | `[time, batch, outputs]` | in the data's units |
//! | `h`, of an LSTM also `c` | as `h0` | the state after the last step |
//! | `h_start`, `c_start` | `[layers·directions, 1, hidden]` | only where the first state is learned: what `h0` should be |
//!
//! `h` given as `h0` goes on with the sequence. A layer is one operator RNN, LSTM or GRU.

use super::fields::{attribute, graph, model as in_model, node, opset, tensor, value};
use crate::names::reorder;
use crate::wire::Message;
use crate::{Error, Model};
use elman_core::{Input, Network, Sweep};

/// The version of ONNX's operators that is written, and that of the file format which goes with it.
const OPSET: i64 = 17;
const IR: i64 = 8;

/// What stands around the network: y = (y_network + x_scaled if `change`) · scale + offset, where
/// x_scaled = (x − offset) / scale.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Surroundings {
    /// Offset and scale of each input; empty where inputs are given as the network reads them.
    pub input: Vec<[f64; 2]>,
    /// Offset and scale of each output; empty where outputs are given as the network says them.
    pub output: Vec<[f64; 2]>,
    /// Whether the network says the change from its inputs.
    pub change: bool,
    /// What a reader of the file should know.
    pub about: String,
}

/// The bytes of an ONNX model that computes what the network computes.
///
/// Errors where ONNX has no operator for the cell, where an encoder stands beside the network, and where the
/// surroundings are not of the network's widths.
pub fn export(model: &Model, around: &Surroundings) -> Result<Vec<u8>, Error> {
    let network = &model.network;
    let wrong = |why: String| Err(Error::format("export to ONNX", why));
    let Some(onnx) = network.cell.about().onnx else {
        return wrong(format!(
            "ONNX has no operator for the cell {}; use elman to run it, or train an elman, lstm or gru",
            network.cell.name()
        ));
    };
    if model.companions != Default::default() {
        return wrong(
            "a network with an encoder beside it cannot be written as one recurrent stack".into(),
        );
    }
    if network.layer_norm || network.zoneout > 0.0 {
        return wrong("ONNX's recurrent operators have neither layer normalisation nor zoneout; use elman to run it, or \
                      train without".into());
    }
    model.check("export to ONNX")?;
    let outputs = network.output_width();
    let fits = |list: &[[f64; 2]], width: usize| list.is_empty() || list.len() == width;
    let reads_numbers = matches!(network.input, Input::Features(_));
    if !fits(&around.input, network.input.width())
        || !fits(&around.output, outputs)
        || !(reads_numbers || around.input.is_empty() && !around.change)
        || around.change && outputs != network.input.width()
    {
        return wrong("the scaling and the network are not of the same widths".into());
    }
    let mut writer = Writer {
        model,
        onnx,
        graph: Message::new(),
    };
    let x = writer.inputs(around);
    let top = writer.layers(x.clone())?;
    writer.readout(top, &x, around)?;
    writer.ports();
    let imports = Message::new()
        .text(opset::DOMAIN, "")
        .int(opset::VERSION, OPSET);
    let all = Message::new()
        .int(in_model::IR_VERSION, IR)
        .text(in_model::PRODUCER_NAME, "elman")
        .text(in_model::PRODUCER_VERSION, env!("CARGO_PKG_VERSION"))
        .text(in_model::DOC_STRING, &around.about)
        .message(in_model::GRAPH, writer.graph.text(graph::NAME, "elman"))
        .message(in_model::OPSET_IMPORT, imports);
    Ok(all.0)
}

struct Writer<'a> {
    model: &'a Model,
    onnx: elman_core::cell::Onnx,
    graph: Message,
}

enum Attribute<'a> {
    Int(i64),
    Ints(&'a [i64]),
    Floats(&'a [f32]),
    Text(&'a str),
    Texts(Vec<&'a str>),
}

impl Writer<'_> {
    fn network(&self) -> &Network {
        &self.model.network
    }
    fn add(&mut self, field: u64, message: Message) {
        self.graph = std::mem::take(&mut self.graph).message(field, message);
    }

    /// A node that makes its first output; the output's name is the node's.
    fn node(
        &mut self,
        operator: &str,
        inputs: &[&str],
        outputs: &[&str],
        attributes: &[(&str, Attribute<'_>)],
    ) -> String {
        let mut message = Message::new();
        for input in inputs {
            message = message.text(node::INPUT, input);
        }
        for output in outputs {
            message = message.text(node::OUTPUT, output);
        }
        message = message
            .text(node::NAME, outputs[0])
            .text(node::OP_TYPE, operator);
        for (name, value) in attributes {
            let a = Message::new().text(attribute::NAME, name);
            let a = match value {
                Attribute::Int(x) => a
                    .int(attribute::INT, *x)
                    .int(attribute::TYPE, attribute::TYPE_INT),
                Attribute::Floats(all) => {
                    let a = all.iter().fold(a, |a, x| a.float(attribute::FLOATS, *x));
                    a.int(attribute::TYPE, attribute::TYPE_FLOATS)
                }
                Attribute::Text(x) => a
                    .text(attribute::STRING, x)
                    .int(attribute::TYPE, attribute::TYPE_STRING),
                Attribute::Ints(all) => {
                    let a = all.iter().fold(a, |a, x| a.int(attribute::INTS, *x));
                    a.int(attribute::TYPE, attribute::TYPE_INTS)
                }
                Attribute::Texts(all) => {
                    let a = all.iter().fold(a, |a, x| a.text(attribute::STRINGS, x));
                    a.int(attribute::TYPE, attribute::TYPE_STRINGS)
                }
            };
            message = message.message(node::ATTRIBUTE, a);
        }
        self.add(graph::NODE, message);
        outputs[0].into()
    }

    fn tensor(&mut self, name: &str, shape: &[usize], kind: i64, raw: &[u8]) -> String {
        let message = shape
            .iter()
            .fold(Message::new(), |m, &n| m.int(tensor::DIMS, n as i64));
        let message = message
            .int(tensor::DATA_TYPE, kind)
            .text(tensor::NAME, name);
        self.add(graph::INITIALIZER, message.bytes(tensor::RAW_DATA, raw));
        name.into()
    }
    fn floats(&mut self, name: &str, shape: &[usize], numbers: &[f32]) -> String {
        let raw: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
        self.tensor(name, shape, tensor::FLOAT, &raw)
    }
    fn ints(&mut self, name: &str, numbers: &[i64]) -> String {
        let raw: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
        self.tensor(name, &[numbers.len()], tensor::INT64, &raw)
    }
    fn get(&self, name: &str) -> Result<&[f32], Error> {
        let found = self.model.params.get(name);
        found.map_err(|e| Error::format("export to ONNX", e.to_string()))
    }

    /// What the first layer reads: inputs scaled, symbols as one-hot vectors.
    fn inputs(&mut self, around: &Surroundings) -> String {
        if let Input::Symbols(known) = self.network().input {
            let depth = self.ints("symbols", &[known as i64]);
            let values = self.floats("off_on", &[2], &[0.0, 1.0]);
            return self.node(
                "OneHot",
                &["x", &depth, &values],
                &["one_hot"],
                &[("axis", Attribute::Int(-1))],
            );
        }
        if around.input.is_empty() {
            return "x".into();
        }
        let [offset, scale] = self.affine("x", &around.input);
        let shifted = self.node("Sub", &["x", &offset], &["x_shifted"], &[]);
        self.node("Div", &[&shifted, &scale], &["x_scaled"], &[])
    }

    /// Offsets and scales as constants.
    fn affine(&mut self, of: &str, all: &[[f64; 2]]) -> [String; 2] {
        ["offset", "scale"].map(|what| {
            let at = usize::from(what == "scale");
            let numbers: Vec<f32> = all.iter().map(|a| a[at] as f32).collect();
            self.floats(&format!("{of}_{what}"), &[all.len()], &numbers)
        })
    }

    /// The states that cross a step: h, and c of an LSTM.
    fn states(&self) -> &'static [&'static str] {
        self.network().cell.about().state
    }

    /// One operator for each layer; gives what the last one says, `[time, batch, directions·hidden]`.
    fn layers(&mut self, x: String) -> Result<String, Error> {
        let (layers, directions) = (self.network().layers, self.network().directions());
        let flat = self.ints("keep_keep_join", &[0, 0, -1]);
        let axis = self.ints("first_axis", &[0]);
        let mut from = x;
        let mut last = vec![Vec::new(); self.states().len()];
        for layer in 0..layers {
            let mut initial = Vec::new();
            for state in self.states() {
                let ends = [layer * directions, (layer + 1) * directions].map(|n| n as i64);
                let start = self.ints(&format!("{state}_from_l{layer}"), &ends[..1]);
                let end = self.ints(&format!("{state}_to_l{layer}"), &ends[1..]);
                let all = format!("{state}0");
                let to = format!("{state}0_l{layer}");
                initial.push(self.node("Slice", &[&all, &start, &end, &axis], &[&to], &[]));
            }
            let weights = self.weights(layer)?;
            let y = format!("y_l{layer}");
            let mut outputs = vec![y.clone()];
            for (state, last) in self.states().iter().zip(&mut last) {
                outputs.push(format!("{state}_l{layer}"));
                last.push(outputs[outputs.len() - 1].clone());
            }
            let mut inputs = vec![from.as_str()];
            inputs.extend(weights.iter().map(String::as_str));
            // The lengths of the rows: all as long as x.
            inputs.push("");
            inputs.extend(initial.iter().map(String::as_str));
            let outputs: Vec<&str> = outputs.iter().map(String::as_str).collect();
            self.recurrent(&inputs, &outputs);
            let rows_first = format!("y_rows_l{layer}");
            let perm = Attribute::Ints(&[0, 2, 1, 3]);
            self.node("Transpose", &[&y], &[&rows_first], &[("perm", perm)]);
            from = self.node(
                "Reshape",
                &[&rows_first, &flat],
                &[&format!("y_joined_l{layer}")],
                &[],
            );
        }
        for (state, last) in self.states().iter().zip(last) {
            let last: Vec<&str> = last.iter().map(String::as_str).collect();
            self.node("Concat", &last, &[state], &[("axis", Attribute::Int(0))]);
        }
        Ok(from)
    }

    fn recurrent(&mut self, inputs: &[&str], outputs: &[&str]) {
        let directions = self.network().directions();
        let mut attributes = vec![("hidden_size", Attribute::Int(self.network().hidden as i64))];
        if self.network().bidirectional {
            attributes.push(("direction", Attribute::Text("bidirectional")));
        }
        if self.onnx.linear_before_reset == Some(true) {
            attributes.push(("linear_before_reset", Attribute::Int(1)));
        }
        // tanh is what an operator has without the attribute.
        let activation = self.onnx.activation.filter(|a| a.name != "Tanh");
        if let Some(a) = activation {
            attributes.push(("activations", Attribute::Texts(vec![a.name; directions])));
        }
        let parameters = activation.and_then(|a| a.alpha_beta);
        let [alpha, beta] = parameters.map_or([vec![], vec![]], |(alpha, beta)| {
            [vec![alpha; directions], vec![beta; directions]]
        });
        if parameters.is_some() {
            attributes.push(("activation_alpha", Attribute::Floats(&alpha)));
            attributes.push(("activation_beta", Attribute::Floats(&beta)));
        }
        self.node(self.onnx.operator, inputs, outputs, &attributes);
    }

    /// W, R and B of a layer, its directions one after the other.
    fn weights(&mut self, layer: usize) -> Result<Vec<String>, Error> {
        let (order, gates) = (self.onnx.order, self.onnx.order.len());
        let (directions, hidden) = (self.network().directions(), self.network().hidden);
        let reads = self.network().reads(layer);
        let sweeps: Vec<Sweep> = self
            .network()
            .sweeps()
            .filter(|s| s.layer == layer)
            .collect();
        let (mut w, mut r, mut b) = (Vec::new(), Vec::new(), Vec::new());
        for sweep in sweeps {
            let tail = sweep.suffix();
            w.extend(reorder(self.get(&format!("weight_ih{tail}"))?, order));
            r.extend(reorder(self.get(&format!("weight_hh{tail}"))?, order));
            b.extend(reorder(self.get(&format!("bias_ih{tail}"))?, order));
            b.extend(reorder(self.get(&format!("bias_hh{tail}"))?, order));
        }
        let rows = gates * hidden;
        Ok(vec![
            self.floats(&format!("W_l{layer}"), &[directions, rows, reads], &w),
            self.floats(&format!("R_l{layer}"), &[directions, rows, hidden], &r),
            self.floats(&format!("B_l{layer}"), &[directions, 2 * rows], &b),
        ])
    }

    /// From what the last layer says to `y`.
    fn readout(&mut self, top: String, x: &str, around: &Surroundings) -> Result<(), Error> {
        let mut y = top;
        if let Some(width) = self.network().output {
            let reads = self.network().directions() * self.network().hidden;
            let weight = self.get("readout.weight")?;
            // MatMul has the weights on the right.
            let turned: Vec<f32> = (0..reads)
                .flat_map(|c| (0..width).map(move |r| weight[r * reads + c]))
                .collect();
            let bias = self.get("readout.bias")?.to_vec();
            let weight = self.floats("readout_weight", &[reads, width], &turned);
            let bias = self.floats("readout_bias", &[width], &bias);
            let product = self.node("MatMul", &[&y, &weight], &["readout"], &[]);
            y = self.node("Add", &[&product, &bias], &["said"], &[]);
        }
        if around.change {
            y = self.node("Add", &[&y, x], &["y_scaled"], &[]);
        }
        if !around.output.is_empty() {
            let [offset, scale] = self.affine("y", &around.output);
            let scaled = self.node("Mul", &[&y, &scale], &["y_unscaled"], &[]);
            y = self.node("Add", &[&scaled, &offset], &["y_shifted"], &[]);
        }
        self.node("Identity", &[&y], &["y"], &[]);
        Ok(())
    }

    fn ports(&mut self) {
        let n = self.network().clone();
        let all = n.layers * n.directions();
        let state: [Dim; 3] = [Dim::Size(all), Dim::Free("batch"), Dim::Size(n.hidden)];
        let start: [Dim; 3] = [Dim::Size(all), Dim::Size(1), Dim::Size(n.hidden)];
        let (time, batch) = (Dim::Free("time"), Dim::Free("batch"));
        let x = match n.input {
            Input::Features(width) => port("x", tensor::FLOAT, &[time, batch, Dim::Size(width)]),
            Input::Symbols(_) => port("x", tensor::INT64, &[time, batch]),
        };
        self.add(graph::INPUT, x);
        self.add(
            graph::OUTPUT,
            port(
                "y",
                tensor::FLOAT,
                &[time, batch, Dim::Size(n.output_width())],
            ),
        );
        for (at, name) in self.states().iter().enumerate() {
            self.add(
                graph::INPUT,
                port(&format!("{name}0"), tensor::FLOAT, &state),
            );
            self.add(graph::OUTPUT, port(name, tensor::FLOAT, &state));
            if n.learned_state {
                let learned: Vec<f32> = n
                    .sweeps()
                    .filter_map(|s| self.model.params.get(&format!("state{}", s.suffix())).ok())
                    .flat_map(|s| s[at * n.hidden..][..n.hidden].to_vec())
                    .collect();
                let (constant, output) = (format!("{name}_learned"), format!("{name}_start"));
                self.floats(&constant, &[all, 1, n.hidden], &learned);
                self.node("Identity", &[&constant], &[&output], &[]);
                self.add(graph::OUTPUT, port(&output, tensor::FLOAT, &start));
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Dim {
    Size(usize),
    Free(&'static str),
}

fn port(name: &str, kind: i64, shape: &[Dim]) -> Message {
    let shape = shape.iter().fold(Message::new(), |all, dim| {
        let dim = match dim {
            Dim::Size(n) => Message::new().int(value::DIM_VALUE, *n as i64),
            Dim::Free(name) => Message::new().text(value::DIM_PARAM, name),
        };
        all.message(value::DIM, dim)
    });
    let of = Message::new()
        .int(value::ELEM_TYPE, kind)
        .message(value::SHAPE, shape);
    let of = Message::new().message(value::TENSOR_TYPE, of);
    Message::new()
        .text(value::NAME, name)
        .message(value::TYPE, of)
}
