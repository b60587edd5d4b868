//! ONNX models made to do harm: an error or outputs, never a panic, whatever sizes, numbers and edges they have.

mod models;

use elman_io::onnx::{Graph, Run};
use elman_io::{Numbers, Tensor};
use models::{Attribute, BOOL, FLOAT, INT64, floats, ints, model, node, tensor};
use proptest::prelude::*;

const RUN: Run = Run {
    wide: false,
    limit: 1 << 20,
};

/// Reads and runs; the error, where there is one.
fn outcome(bytes: &[u8], x: &Tensor) -> Option<String> {
    let run = |graph: Graph| graph.run(&[("X", x)], RUN);
    let error = Graph::from_bytes("x", bytes).and_then(run).err()?;
    let text = error.to_string();
    assert!(text.starts_with("x: ") && !text.contains('\n'), "{text}");
    Some(text)
}

fn row(count: usize) -> Tensor {
    Tensor::f32(&[count], &vec![0.5; count])
}

/// Sizes, places and steps at their limits.
fn whole() -> impl Strategy<Value = i64> {
    prop_oneof![
        -7_i64..7,
        any::<i64>(),
        Just(i64::MIN),
        Just(i64::MAX),
        Just(1 << 40)
    ]
}

#[test]
fn depths_that_nothing_could_hold() {
    for depth in [
        -1.0_f32,
        0.0,
        0.9,
        1e6,
        1e18,
        f32::INFINITY,
        f32::NEG_INFINITY,
    ] {
        let one_hot = node("OneHot", &["X", "d", "v"], &["Y"], &[]);
        let constants = [floats("d", &[1], &[depth]), ints("v", &[0, 1])];
        let error = outcome(&model(&[one_hot], &constants, &["X"], &["Y"]), &row(3));
        assert!(error.is_some(), "{depth}");
    }
}

#[test]
fn a_cycle_of_as_many_nodes_as_there_may_be() {
    let name = |at: usize| format!("n{}", at % 20_000);
    let nodes: Vec<_> = (0..20_000)
        .map(|at| node("Add", &["X", &name(at)], &[&name(at + 1)], &[]))
        .collect();
    let error = outcome(&model(&nodes, &[], &["X"], &["n7"]), &row(1)).unwrap();
    assert!(
        error.contains("cycle of 20000 nodes") && error.len() < 500,
        "{error}"
    );
}

#[test]
fn names_as_long_as_the_file() {
    let long = "y".repeat(100_000);
    for nodes in [
        vec![node(&long, &["X"], &[&long], &[])],
        vec![node("Relu", &[&long], &[&long], &[])],
        vec![
            node("Relu", &["X"], &[&long], &[]),
            node("Tanh", &["X"], &[&long], &[]),
        ],
    ] {
        let error = outcome(&model(&nodes, &[], &["X"], &[&long]), &row(1)).unwrap();
        assert!(error.len() < 1000, "{} bytes", error.len());
    }
}

#[test]
fn inputs_whose_numbers_do_not_fill_their_shape() {
    let bytes = model(
        &[node("Transpose", &["X"], &["Y"], &[])],
        &[],
        &["X"],
        &["Y"],
    );
    let graph = Graph::from_bytes("x", &bytes).unwrap();
    for shape in [
        vec![2],
        vec![usize::MAX, 2],
        vec![0, usize::MAX, 2],
        vec![usize::MAX, 2, 0],
    ] {
        let numbers = Numbers::F32(vec![0.0; 3]);
        let x = Tensor { shape, numbers };
        assert!(graph.run(&[("X", &x)], RUN).is_err());
        assert!(elman_io::npy_to_bytes(&x).is_err());
        let tensors = [("x".to_string(), x)].into();
        let all = elman_io::Tensors {
            tensors,
            ..Default::default()
        };
        assert!(all.to_bytes().is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_cut(start in whole(), end in whole(), step in whole(), axis in -3_i64..3, size in 0..6_usize) {
        let cut = [("s", start), ("e", end), ("a", axis), ("t", step)];
        let constants = cut.map(|(name, n)| ints(name, &[n]));
        let slice = node("Slice", &["X", "s", "e", "a", "t"], &["Y"], &[]);
        outcome(&model(&[slice], &constants, &["X"], &["Y"]), &row(size));
    }

    #[test]
    fn any_one_hot(depth in whole(), index in whole(), axis in whole()) {
        let one_hot = node("OneHot", &["i", "d", "v"], &["Y"], &[("axis", Attribute::Int(axis))]);
        let constants = [ints("d", &[depth]), ints("i", &[index, 1]), ints("v", &[0, 1])];
        outcome(&model(&[one_hot], &constants, &["X"], &["Y"]), &row(1));
    }

    /// Edges lead anywhere: to later nodes, around, to nothing.
    #[test]
    fn any_edges(edges in proptest::collection::vec((0..6_usize, 0..9_usize, 0..9_usize, 0..9_usize), 1..12)) {
        let operators = ["Add", "MatMul", "Concat", "Gather", "Reshape", "Unknown"];
        let name = |at: usize| ["X", "", "c", "n0", "n1", "n2", "n3", "n4", "n5"][at];
        let nodes: Vec<_> = edges
            .iter()
            .map(|&(operator, a, b, to)| node(operators[operator], &[name(a), name(b)], &[name(to)], &[("axis", Attribute::Int(0))]))
            .collect();
        outcome(&model(&nodes, &[ints("c", &[0])], &["X"], &["n0"]), &row(2));
    }

    #[test]
    fn any_tensor(kind in 0..25_i64, dims in proptest::collection::vec(whole(), 0..4), raw in proptest::collection::vec(any::<u8>(), 0..20)) {
        let nodes = [
            node("Cast", &["t"], &["n"], &[("to", Attribute::Int(FLOAT))]),
            node("Cast", &["t"], &["b"], &[("to", Attribute::Int(BOOL))]),
            node("Cast", &["b"], &["i"], &[("to", Attribute::Int(INT64))]),
        ];
        outcome(&model(&nodes, &[tensor("t", kind, &dims, &raw)], &["X"], &["n", "i"]), &row(1));
    }

    #[test]
    fn any_recurrent_shapes(
        operator in 0..3_usize,
        x in proptest::collection::vec(0..4_usize, 3),
        shapes in proptest::collection::vec(proptest::collection::vec(0..9_i64, 1..4), 5),
        lengths in proptest::collection::vec(whole(), 0..4),
        layout in 0..3_i64,
    ) {
        let names = ["W", "R", "B", "h", "c"];
        let mut constants: Vec<_> = names.iter().zip(&shapes).map(|(name, shape)| {
            let count = shape.iter().product::<i64>() as usize;
            floats(name, shape, &vec![0.5; count])
        }).collect();
        constants.push(ints("l", &lengths));
        let operator = ["RNN", "GRU", "LSTM"][operator];
        let recurrent = node(operator, &["X", "W", "R", "B", "l", "h", "c"], &["Y"], &[("layout", Attribute::Int(layout))]);
        let x = Tensor::f32(&x, &vec![0.5; x.iter().product()]);
        outcome(&model(&[recurrent], &constants, &["X"], &["Y"]), &x);
    }
}
