//! Times an ONNX model for `bench/onnx_runtime.py`: for each line on standard input, one run, and a line with its
//! seconds. The model's only input is given numbers of the shape in the arguments.
//!
//! `onnx_time MODEL NAME SIZE …`

use elman_io::Tensor;
use elman_io::onnx::{Graph, Run};
use std::error::Error;
use std::io::{BufRead, Write};
use std::path::Path;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, name, sizes @ ..] = arguments.as_slice() else {
        return Err("usage: onnx_time MODEL NAME SIZE …".into());
    };
    let graph = Graph::read(Path::new(model))?;
    let shape: Vec<usize> = sizes.iter().map(|n| n.parse()).collect::<Result<_, _>>()?;
    let numbers: Vec<f32> = (0..shape.iter().product())
        .map(|i: usize| ((i * 7919 % 2003) as f32 / 1001.5 - 1.0) * 0.5)
        .collect();
    let x = Tensor::f32(&shape, &numbers);
    for line in std::io::stdin().lock().lines() {
        line?;
        let start = Instant::now();
        graph.run(&[(name, &x)], Run::default())?;
        println!("{}", start.elapsed().as_secs_f64());
        std::io::stdout().flush()?;
    }
    Ok(())
}
