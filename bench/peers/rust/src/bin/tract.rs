//! tract: the ONNX file that bench/peers.py writes, for a step or for a sequence.

use anyhow::{Result, ensure};
use peers::{Once, Work, serve};
use tract_onnx::prelude::*;

fn load(work: &Work) -> Result<Once> {
    ensure!(work.mode != "train", "it does not train");
    let stream = work.mode == "stream";
    let (t, b, h) = match stream {
        true => (1, 1, work.hidden),
        false => (work.steps, work.batch, work.hidden),
    };
    let file = work.folder.join("net.onnx");
    let mut model = tract_onnx::onnx()
        .model_for_path(file)?
        .with_input_fact(0, f32::fact([t, b, work.input]).into())?;
    let states = 1 + usize::from(work.cell == "lstm");
    for s in 0..states {
        model = model.with_input_fact(1 + s, f32::fact([1, b, h]).into())?;
    }
    let plan = model.into_optimized()?.into_runnable()?;
    let x = work.read("x")?;
    let zero = Tensor::zero::<f32>(&[1, b, h])?.into_tvalue();
    let xs: Vec<TValue> = match stream {
        true => x
            .chunks_exact(work.input)
            .map(|x| Ok(Tensor::from_shape(&[1, 1, work.input], x)?.into_tvalue()))
            .collect::<Result<_>>()?,
        false => vec![Tensor::from_shape(&[t, b, work.input], &x)?.into_tvalue()],
    };
    let mut state = plan.spawn()?;
    let mut once = move |all: Option<&mut Vec<f32>>| -> Result<usize> {
        let mut carried = vec![zero.clone(); states];
        let mut all = all;
        for x in &xs {
            let mut inputs = tvec![x.clone()];
            inputs.extend(carried.iter().cloned());
            let mut outputs = state.run(inputs)?;
            if let Some(all) = &mut all {
                all.extend_from_slice(outputs[0].try_as_plain_ram()?.as_slice::<f32>()?);
            }
            carried = outputs.drain(1..).collect();
        }
        Ok(xs.len())
    };
    let mut y = Vec::new();
    once(Some(&mut y))?;
    work.write("y", &y)?;
    Ok(Box::new(move || once(None)))
}

fn main() -> Result<()> {
    serve(load)
}
