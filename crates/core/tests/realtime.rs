//! A stepper allocates nothing and waits for nobody after construction, so that it may run on an audio thread.

use elman_core::*;
use std::sync::Arc;

/// Widths around those of vectors and panels, and one whose rows collide in the level-1 cache.
const HIDDEN: [usize; 5] = [1, 16, 33, 128, 1024];

fn network(cell: CellKind, input: Input, hidden: usize, layers: usize) -> Network {
    Network {
        layers,
        ..Network::new(cell, input, hidden, 3)
    }
}

fn check<E: Element>(network: &Network) {
    let init = Init {
        recurrent: Recurrent::Uniform,
        ..Init::default()
    };
    let params: Params<E> = init.params(network, 1).unwrap();
    let mut stepper = Stepper::new(network, &params).unwrap();
    let state = State::zeros(network, 2);
    let x = vec![E::of(0.5); network.input.width()];
    let mut y = vec![E::ZERO; network.output_width()];
    let used = allocation_counter::measure(|| {
        for _ in 0..3 {
            match network.input {
                Input::Features(_) => stepper.step(&x, &mut y).unwrap(),
                Input::Symbols(_) => stepper.step_symbol(1, &mut y).unwrap(),
            }
        }
        stepper.reset();
        stepper.set_state(&state, 1).unwrap();
    });
    assert_eq!(
        used.count_total, 0,
        "{} allocations in {network:?}",
        used.count_total
    );
    assert!(y.iter().any(|&y| y != E::ZERO), "{network:?}");
}

#[test]
fn steps_allocate_nothing() {
    for &cell in CellKind::ALL {
        for hidden in HIDDEN {
            let layers = if hidden < 1024 { 2 } else { 1 };
            for input in [Input::Features(5), Input::Symbols(5)] {
                check::<f32>(&network(cell, input, hidden, layers));
            }
        }
        check::<f64>(&network(cell, Input::Features(5), 33, 2));
    }
}

#[test]
fn shared_steps_allocate_nothing() {
    let team = Arc::new(Team::new(2));
    for cell in [CellKind::Elman, CellKind::Lstm, CellKind::Gru] {
        let network = network(cell, Input::Features(5), 256, 2);
        let params: Params<f32> = Init::default().params(&network, 1).unwrap();
        let mut stepper = SharedStepper::new(&network, &params, &team).unwrap();
        assert_eq!(stepper.threads().collect::<Vec<_>>(), [2, 2]);
        let mut y = vec![0.0; network.output_width()];
        let used = allocation_counter::measure(|| {
            for _ in 0..3 {
                stepper.step(&[0.5; 5], &mut y).unwrap();
            }
        });
        assert_eq!(used.count_total, 0, "{network:?}");
    }
}

#[test]
fn the_count_counts() {
    let used = allocation_counter::measure(|| drop(std::hint::black_box(vec![1u8; 100])));
    assert_eq!(used.count_total, 1);
}
