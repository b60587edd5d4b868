//! A recurrent node on the engine beside the same node by the specification's equations, which run where there is a
//! `clip`, however large.

mod models;

use elman_io::onnx::{Graph, Run};
use elman_io::{Numbers, Tensor};
use models::{Attribute, floats, model, node};
use proptest::prelude::*;

const OPERATORS: [(&str, usize); 3] = [("RNN", 1), ("GRU", 3), ("LSTM", 4)];

#[derive(Clone, Debug)]
struct Case {
    operator: usize,
    direction: &'static str,
    layout: bool,
    linear_before_reset: bool,
    /// Steps, rows, inputs, units.
    sizes: [usize; 4],
    lengths: Vec<usize>,
    seed: u32,
}

fn case() -> impl Strategy<Value = Case> {
    let sizes = (0..6_usize, 0..5_usize, 0..4_usize, 1..20_usize);
    let direction = prop_oneof![Just("forward"), Just("reverse"), Just("bidirectional")];
    let rest = (0..3_usize, direction, any::<[bool; 2]>(), any::<u32>());
    (sizes, rest, proptest::collection::vec(0..=100_usize, 5)).prop_map(
        |((t, b, i, h), (operator, direction, [layout, linear_before_reset], seed), lengths)| {
            Case {
                operator,
                direction,
                layout,
                linear_before_reset,
                sizes: [t, b, i, h],
                lengths: lengths[..b].iter().map(|n| n * t / 100).collect(),
                seed,
            }
        },
    )
}

/// Numbers between −1 and 1.
fn some(seed: u32, count: usize) -> Vec<f32> {
    let mut x = seed;
    let next = |_| {
        x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (x >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(next).collect()
}

impl Case {
    /// Name, shape and numbers of the node's inputs but for the lengths.
    fn inputs(&self) -> Vec<(&'static str, Vec<usize>, Vec<f32>)> {
        let [t, b, i, h] = self.sizes;
        let (operator, gates) = OPERATORS[self.operator];
        let d = 1 + usize::from(self.direction == "bidirectional");
        let (x, state) = match self.layout {
            true => (vec![b, t, i], vec![b, d, h]),
            false => (vec![t, b, i], vec![d, b, h]),
        };
        let mut all = vec![
            ("X", x),
            ("W", vec![d, gates * h, i]),
            ("R", vec![d, gates * h, h]),
            ("B", vec![d, 2 * gates * h]),
            ("h", state.clone()),
        ];
        if operator == "LSTM" {
            all.push(("c", state));
        }
        // Of a radius below 1, so that rounding does not grow from step to step.
        let radius = |name| {
            if name == "R" {
                1.0 / (h as f32).sqrt()
            } else {
                1.0
            }
        };
        let numbers = |(at, (name, shape)): (usize, (&'static str, Vec<usize>))| {
            let numbers = some(self.seed.wrapping_add(at as u32), shape.iter().product());
            let numbers = numbers.into_iter().map(|x| x * radius(name)).collect();
            (name, shape, numbers)
        };
        all.into_iter().enumerate().map(numbers).collect()
    }

    /// The model; the weights are constants, or inputs.
    fn model(&self, clip: bool, weights_are_inputs: bool) -> Vec<u8> {
        let (operator, _) = OPERATORS[self.operator];
        let mut attributes = vec![
            ("direction", Attribute::Text(self.direction)),
            ("layout", Attribute::Int(self.layout.into())),
        ];
        if operator == "GRU" {
            let after = self.linear_before_reset.into();
            attributes.push(("linear_before_reset", Attribute::Int(after)));
        }
        if clip {
            attributes.push(("clip", Attribute::Float(1e30)));
        }
        let (mut names, mut outputs) = (vec!["X", "W", "R", "B", "lengths", "h"], vec!["Y", "Y_h"]);
        if operator == "LSTM" {
            names.push("c");
            outputs.push("Y_c");
        }
        let mut constants = Vec::new();
        for (name, shape, numbers) in self.inputs() {
            if "WRB".contains(name) && !weights_are_inputs {
                let shape: Vec<i64> = shape.iter().map(|&n| n as i64).collect();
                constants.push(floats(name, &shape, &numbers));
            }
        }
        let given = names
            .iter()
            .filter(|name| weights_are_inputs || !"WRB".contains(**name));
        let given: Vec<&str> = given.copied().collect();
        model(
            &[node(operator, &names, &outputs, &attributes)],
            &constants,
            &given,
            &outputs,
        )
    }

    fn tensors(&self, weights_are_inputs: bool) -> Vec<(&'static str, Tensor)> {
        let floats = self.inputs().into_iter();
        let floats = floats.filter(|(name, ..)| weights_are_inputs || !"WRB".contains(name));
        let mut all: Vec<_> = floats
            .map(|(name, shape, numbers)| (name, Tensor::f32(&shape, &numbers)))
            .collect();
        let lengths = self.lengths.iter().map(|&n| n as i32).collect();
        let lengths = Tensor {
            shape: vec![self.lengths.len()],
            numbers: Numbers::I32(lengths),
        };
        all.push(("lengths", lengths));
        all
    }

    fn run(&self, graph: &Graph, weights_are_inputs: bool, wide: bool) -> Vec<Tensor> {
        let tensors = self.tensors(weights_are_inputs);
        let inputs: Vec<_> = tensors
            .iter()
            .map(|(name, tensor)| (*name, tensor))
            .collect();
        let limit = 1 << 30;
        graph.run(&inputs, Run { wide, limit }).unwrap()
    }
}

/// The largest difference of any numbers.
fn difference(a: &[Tensor], b: &[Tensor]) -> f64 {
    let mut largest = 0.0_f64;
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(b) {
        assert_eq!(a.shape, b.shape);
        for at in 0..a.numbers.len() {
            largest = largest.max((a.numbers.number(at) - b.numbers.number(at)).abs());
        }
    }
    largest
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_engine_computes_what_the_equations_say(case in case()) {
        for weights_are_inputs in [false, true] {
            let read = |clip| Graph::from_bytes("x", &case.model(clip, weights_are_inputs)).unwrap();
            let (engine, equations) = (read(false), read(true));
            for wide in [false, true] {
                let expected = case.run(&equations, weights_are_inputs, wide);
                let made = case.run(&engine, weights_are_inputs, wide);
                let is = difference(&made, &expected);
                prop_assert!(is < if wide { 1e-13 } else { 5e-6 }, "{is}");
                // Buffers that were used before change nothing.
                prop_assert_eq!(&case.run(&engine, weights_are_inputs, wide), &made);
            }
        }
    }
}

#[test]
fn many_steps_and_rows_are_computed_in_parts() {
    for operator in 0..3 {
        let case = Case {
            operator,
            direction: "bidirectional",
            layout: false,
            linear_before_reset: true,
            sizes: [300, 7, 3, 40],
            lengths: vec![300, 1, 0, 299, 150, 151, 300],
            seed: 3,
        };
        let read = |clip| Graph::from_bytes("x", &case.model(clip, false)).unwrap();
        let made = case.run(&read(false), false, true);
        let is = difference(&made, &case.run(&read(true), false, true));
        assert!(is < 1e-13, "{is}");
    }
}

#[test]
fn runs_at_once_and_other_weights_do_not_disturb_each_other() {
    let case = Case {
        operator: 2,
        direction: "bidirectional",
        layout: false,
        linear_before_reset: false,
        sizes: [5, 3, 2, 6],
        lengths: vec![5, 2, 3],
        seed: 9,
    };
    // As in files of early versions: the weights are inputs, with the model's own as defaults.
    let constants = case.model(false, false);
    let graph = Graph::from_bytes("x", &constants).unwrap();
    let expected = case.run(&graph, false, false);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    assert_eq!(case.run(&graph, false, false), expected);
                }
            });
        }
    });
}

#[test]
fn weights_that_an_input_replaces_are_not_those_that_were_kept() {
    let weight = |name: &str| floats(name, &[1, 1, 1], &[1.0]);
    let rnn = node("RNN", &["X", "W", "R"], &["Y"], &[]);
    let bytes = model(&[rnn], &[weight("W"), weight("R")], &["X", "W"], &["Y"]);
    let graph = Graph::from_bytes("x", &bytes).unwrap();
    let x = Tensor::f32(&[1, 1, 1], &[0.5]);
    let y = |inputs: &[(&str, &Tensor)]| {
        graph.run(inputs, Run::default()).unwrap()[0]
            .numbers
            .number(0)
    };
    let other = Tensor::f32(&[1, 1, 1], &[2.0]);
    let own = y(&[("X", &x)]);
    assert!((own - 0.5_f64.tanh()).abs() < 1e-6);
    assert!((y(&[("X", &x), ("W", &other)]) - 1.0_f64.tanh()).abs() < 1e-6);
    assert_eq!(y(&[("X", &x)]), own);
}
