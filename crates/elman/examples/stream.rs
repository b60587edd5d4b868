//! Feeds a network one step a call: after construction nothing is allocated and no lock is taken.
//!
//! ```sh
//! cargo run --release -p elman --example stream
//! ```

use elman::core::{CellKind, Init, Input, Network, Stepper};

fn main() -> Result<(), elman::core::Error> {
    let network = Network::new(CellKind::Elman, Input::Features(1), 16, 1);
    let params = Init::default().params::<f32>(&network, 1)?;
    let mut stepper = Stepper::new(&network, &params)?;
    let mut y = [0.0];
    for t in 0..5 {
        stepper.step(&[(0.3 * t as f32).sin()], &mut y)?;
        println!("y{t} = {:.6}", y[0]);
    }
    stepper.reset(); // back to the state before the first step
    Ok(())
}
