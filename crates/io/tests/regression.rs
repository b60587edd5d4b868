//! One test for each fault that was found, named for what must hold.

mod models;

use elman_io::onnx::{Graph, Run};
use elman_io::{Numbers, Tensor};
use models::{Attribute, BOOL, floats, ints, model, node, outside, tensor};
use std::fs;

fn run(model: &[u8], inputs: &[(&str, &Tensor)]) -> Vec<Tensor> {
    let graph = Graph::from_bytes("x", model).unwrap();
    graph.run(inputs, Run::default()).unwrap()
}

/// What reading the model ends with.
fn refused(model: &[u8]) -> String {
    let error = Graph::from_bytes("x", model).unwrap_err().to_string();
    assert!(error.starts_with("x: ") && !error.contains('\n'), "{error}");
    error
}

fn row(numbers: &[f32]) -> Tensor {
    Tensor::f32(&[numbers.len()], numbers)
}

#[test]
fn a_slice_with_a_negative_step_starts_at_the_first_number_at_the_earliest() {
    let x = row(&[0.0, 1.0, 2.0, 3.0, 4.0]);
    for ((start, end, step), expected) in [
        ((-100, -200, -1), &[0.0][..]),
        ((-6, -7, -1), &[0.0]),
        ((-100, -2, -1), &[]),
        ((0, -100, -1), &[0.0]),
        ((i64::MAX, i64::MIN, i64::MIN), &[4.0]),
        ((-1, -6, -2), &[4.0, 2.0, 0.0]),
    ] {
        let constants = [
            ints("s", &[start]),
            ints("e", &[end]),
            ints("a", &[0]),
            ints("t", &[step]),
        ];
        let slice = node("Slice", &["X", "s", "e", "a", "t"], &["Y"], &[]);
        let bytes = model(&[slice], &constants, &["X"], &["Y"]);
        let y = &run(&bytes, &[("X", &x)])[0];
        assert_eq!(*y, row(expected), "{start}..{end} by {step}");
        let empty = &run(&bytes, &[("X", &row(&[]))])[0];
        assert_eq!(*empty, row(&[]));
    }
}

#[test]
fn one_hot_takes_a_depth_and_indices_of_any_numbers() {
    let one_hot = node("OneHot", &["X", "depth", "values"], &["Y"], &[]);
    let constants = [floats("depth", &[], &[2.9]), ints("values", &[5, 7])];
    let bytes = model(&[one_hot], &constants, &["X"], &["Y"]);
    let y = &run(
        &bytes,
        &[("X", &row(&[0.0, 1.6, -1.0, -0.5, 2.0, f32::INFINITY]))],
    )[0];
    let expected = vec![7, 5, 5, 7, 5, 7, 7, 5, 5, 5, 5, 5];
    assert_eq!(y.numbers, Numbers::I64(expected));
    let far = Numbers::I64(vec![i64::MAX, i64::MIN]);
    let far = Tensor {
        shape: vec![2],
        numbers: far,
    };
    let y = &run(&bytes, &[("X", &far)])[0];
    assert_eq!(y.numbers, Numbers::I64(vec![5; 4]));
}

#[test]
fn a_constant_may_be_infinite_but_not_nan() {
    let add = || node("Add", &["X", "m"], &["Y"], &[]);
    let with = |m: f32| model(&[add()], &[floats("m", &[1], &[m])], &["X"], &["Y"]);
    let y = &run(&with(f32::NEG_INFINITY), &[("X", &row(&[1.0]))])[0];
    assert_eq!(*y, row(&[f32::NEG_INFINITY]));
    assert!(refused(&with(f32::NAN)).contains("NaN"));
}

#[test]
fn truth_values_are_read_and_cast() {
    let nodes = [
        node("Cast", &["flag"], &["f"], &[("to", Attribute::Int(1))]),
        node("Mul", &["f", "X"], &["Y"], &[]),
        node("Cast", &["X"], &["B"], &[("to", Attribute::Int(BOOL))]),
    ];
    let flag = tensor("flag", BOOL, &[3], &[1, 0, 1]);
    let bytes = model(&nodes, &[flag], &["X"], &["Y", "B"]);
    let made = run(&bytes, &[("X", &row(&[2.0, 3.0, 0.0]))]);
    assert_eq!(made[0], row(&[2.0, 0.0, 0.0]));
    assert_eq!(made[1].numbers, Numbers::Bool(vec![true, true, false]));
}

#[test]
fn nothing_unused_stops_a_model() {
    let nodes = [
        node("Unknown", &["Y"], &["Z"], &[]),
        node("Unknown", &["nowhere"], &["a", ""], &[]),
        node("Relu", &["b"], &["b2"], &[]),
        node("Relu", &["b2"], &["b"], &[]),
        node("Relu", &["X"], &["Y"], &[("unknown", Attribute::Int(1))]),
    ];
    let text = tensor("text", 8, &[1], b"abcd");
    let relu = node("Relu", &["X"], &["Y"], &[]);
    let mut sound = nodes.to_vec();
    sound[4] = relu;
    let bytes = model(&sound, std::slice::from_ref(&text), &["X"], &["Y"]);
    assert_eq!(
        run(&bytes, &[("X", &row(&[-1.0, 1.0]))])[0],
        row(&[0.0, 1.0])
    );
    // But what is used has to be sound.
    assert!(refused(&model(&nodes, &[text], &["X"], &["Y"])).contains("unknown"));
}

#[test]
fn nodes_run_in_an_order_in_which_they_can() {
    let nodes = [
        node("Add", &["a", "b"], &["Y"], &[]),
        node("Tanh", &["a"], &["b"], &[]),
        node("Add", &["X", "X"], &["a"], &[]),
    ];
    let y = &run(&model(&nodes, &[], &["X"], &["Y"]), &[("X", &row(&[0.5]))])[0];
    assert_eq!(*y, row(&[1.0 + 1.0_f32.tanh()]));
    let cycle = [
        node("Add", &["X", "c"], &["a"], &[]),
        node("Relu", &["a"], &["b"], &[]),
        node("Tanh", &["b"], &["c"], &[]),
        node("Relu", &["c"], &["Y"], &[]),
    ];
    let error = refused(&model(&cycle, &[], &["X"], &["Y"]));
    let named = ["cycle of 3 nodes", "\"a\"", "\"b\"", "\"c\""];
    assert!(named.iter().all(|word| error.contains(word)), "{error}");
    let twice = [
        node("Relu", &["X"], &["Y"], &[]),
        node("Tanh", &["X"], &["Y"], &[]),
    ];
    assert!(refused(&model(&twice, &[], &["X"], &["Y"])).contains("\"Y\""));
    let overwritten = [node("Relu", &["X"], &["X"], &[])];
    assert!(refused(&model(&overwritten, &[], &["X"], &["X"])).contains("\"X\""));
}

#[test]
fn all_missing_operators_are_named_at_once() {
    let nodes = [
        node("Conv", &["X"], &["a"], &[]),
        node("Conv", &["a"], &["b"], &[]),
        [node("Gelu", &["b"], &["c"], &[]), models::bytes(7, "com.x")].concat(),
        node("Erf", &["c"], &["Y"], &[]),
    ];
    let error = refused(&model(&nodes, &[], &["X"], &["Y"]));
    for words in [
        "Conv (2 nodes, the first: \"a\")",
        "Gelu of the domain \"com.x\" (1 node: \"c\")",
        "Erf (1 node: \"Y\")",
    ] {
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn numbers_beside_the_model_are_read_and_none_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    fs::create_dir_all(home.join("deep")).unwrap();
    let numbers: Vec<u8> = [1.0_f32, 2.0]
        .iter()
        .flat_map(|x| x.to_le_bytes())
        .collect();
    for place in ["w.bin", "home/w.bin", "home/deep/w.bin"] {
        fs::write(folder.path().join(place), &numbers).unwrap();
    }
    let path = home.join("m.onnx");
    let read = |location: &str| {
        let add = node("Add", &["X", "w"], &["Y"], &[]);
        let bytes = model(&[add], &[outside("w", &[2], location)], &["X"], &["Y"]);
        fs::write(&path, bytes).unwrap();
        Graph::read(&path)
    };
    for inside in [
        "w.bin",
        "./w.bin",
        "././w.bin",
        "deep/w.bin",
        "./deep/./w.bin",
    ] {
        let y = read(inside)
            .unwrap()
            .run(&[("X", &row(&[0.5, 0.5]))], Run::default());
        assert_eq!(y.unwrap()[0], row(&[1.5, 2.5]), "{inside}");
    }
    let absolute = home.join("w.bin").display().to_string();
    for outside in [
        "../w.bin",
        "./../w.bin",
        "deep/../../w.bin",
        "deep/../w.bin",
        &absolute,
        "",
        ".",
        "./",
    ] {
        let error = read(outside).unwrap_err().to_string();
        assert!(
            error.contains("not in the model's folder"),
            "{outside}: {error}"
        );
    }
    assert!(read("deep").is_err());
}
