//! Looks at a network's gradients: how far back the loss reaches, why no further, and what to change.
//!
//! ```sh
//! cargo run --release -p elman --example gradients
//! ```

use elman::core::{Batch, CellKind, Init, Input, Network, Recurrent, State};
use elman::flow::{Options, Training, measure, verdict};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // W_hh of gain 0.5 shrinks the gradient at every step.
    let network = Network::new(CellKind::Elman, Input::Features(1), 16, 1);
    let init = Init {
        recurrent: Recurrent::Orthogonal(0.5),
        ..Init::default()
    };
    let params = init.params::<f32>(&network, 1)?;
    let x: Vec<f32> = (0..100).map(|t| (0.3 * t as f32).sin()).collect();
    let batch = Batch::features(&x, [100, 1, 1], None)?;
    // A loss at the last step alone.
    let mut d_outputs = vec![0.0; 100];
    d_outputs[99] = 1.0;

    let state = State::zeros(&network, 1);
    let flow = measure(
        &network,
        &params,
        &batch,
        &state,
        &d_outputs,
        &Options::default(),
    )?;
    let verdict = verdict(&flow, &Training::default());
    println!("{}", verdict.summary);
    for line in &verdict.evidence {
        println!("  - {line}");
    }
    for change in &verdict.proposals {
        println!("try {}: {}", change.option, change.why);
    }
    Ok(())
}
