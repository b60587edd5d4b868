//! Trains an Elman network on slices of your own: one step ahead on a noisy sine, with Adam.
//!
//! ```sh
//! cargo run --release -p elman --example train
//! ```

use elman::core::{Batch, CellKind, Init, Input, Network, Unrolled};
use elman::train::{Method, Optimiser};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Eight rows of 50 steps, time-major: x[t][row], and what follows each step.
    let (steps, rows) = (50, 8);
    let wave = |t: usize, row: usize| (0.3 * t as f32 + row as f32).sin();
    let x: Vec<f32> = (0..steps * rows)
        .map(|i| wave(i / rows, i % rows))
        .collect();
    let next: Vec<f32> = (0..steps * rows)
        .map(|i| wave(i / rows + 1, i % rows))
        .collect();

    let network = Network::new(CellKind::Elman, Input::Features(1), 16, 1);
    let mut params = Init::default().params::<f32>(&network, 1)?;
    let mut optimiser = Optimiser::new(Method::Adam, 0.0, 0.0, vec![], params.data().len());
    let mut unrolled = Unrolled::new(&network, &params)?;
    let batch = Batch::features(&x, [steps, rows, 1], None)?;
    let target = batch.pack(&next, 1)?;
    for epoch in 1..=200 {
        let errors: Vec<f32> = unrolled
            .forward(&batch)?
            .iter()
            .zip(&target)
            .map(|(y, t)| y - t)
            .collect();
        // The loss is the mean of the squared errors; this is its gradient.
        let n = errors.len() as f32;
        let d_y: Vec<f32> = errors.iter().map(|e| 2.0 * e / n).collect();
        let mut gradient = unrolled.gradient(&d_y)?;
        optimiser.step(0.01, params.data_mut(), gradient.data_mut());
        unrolled.refresh(&params)?;
        if epoch % 50 == 0 {
            let loss = errors.iter().map(|e| e * e).sum::<f32>() / n;
            println!("epoch {epoch}: mean squared error {loss:.6}");
        }
    }
    Ok(())
}
