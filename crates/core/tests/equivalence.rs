//! Where two ways of computing must agree, they agree bit for bit.

mod random;

use elman_core::*;
use proptest::prelude::*;
use random::{Case, cases};
use std::sync::Arc;

fn run<E: Element>(
    case: &Case,
    batch: &Batch<E>,
    state: &State<E>,
    d_outputs: &[E],
    threads: usize,
) -> (Trace<E>, Deltas<E>, Params<E>, Weights<E>) {
    let params = case.params().convert();
    let weights = Weights::new(&case.network, &params).unwrap();
    let team = Team::new(threads);
    let (mut trace, mut gradient) = (Trace::new(), params.zeros_like());
    let mut deltas = match case.symbols {
        true => Deltas::new(),
        false => Deltas::with_inputs(),
    };
    forward(&weights, batch, state, &mut trace, &team).unwrap();
    let cotangent = Cotangent {
        outputs: d_outputs,
        state: None,
    };
    let into = Some(&mut gradient);
    backward(&weights, &trace, cotangent, &mut deltas, into, &team).unwrap();
    (trace, deltas, gradient, weights)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    #[test]
    fn one_thread_and_three_give_the_same_bits(case in cases(36)) {
        let (batch, state) = (case.batch(), case.state());
        let d = case.noise(batch.total() * case.network.output_width(), 3);
        let (a, da, ga, _) = run(&case, &batch, &state, &d, 1);
        let (b, db, gb, _) = run(&case, &batch, &state, &d, 3);
        prop_assert_eq!(a.outputs(), b.outputs());
        prop_assert_eq!(da.inputs(), db.inputs());
        prop_assert_eq!(da.state_before().unwrap(), db.state_before().unwrap());
        prop_assert_eq!(ga.data(), gb.data());
    }

    #[test]
    fn segments_give_what_the_whole_gives(case in cases(12)) {
        prop_assume!(!case.network.bidirectional);
        let (batch, state, team) = (case.noisy(), case.state(), Team::new(2));
        let d = case.noise(batch.total() * case.network.output_width(), 3);
        let (trace, _, _, weights) = run(&case, &batch, &state, &d, 1);
        let mut d_after = State::zeros(&case.network, batch.rows());
        let numbers = case.noise(d_after.data().len(), 4);
        d_after.data_mut().copy_from_slice(&numbers);
        let cotangent = Cotangent { outputs: &d, state: Some(&d_after) };
        let (mut deltas, mut whole) = (Deltas::new(), case.params().zeros_like());
        let into = Some(&mut whole);
        backward(&weights, &trace, cotangent, &mut deltas, into, &team).unwrap();
        let before = deltas.state_before().unwrap();

        let mut segments = Segments::new();
        let keep = case.seed as usize % (batch.steps() + 1);
        segments.forward(&weights, &batch, &state, keep, &team).unwrap();
        prop_assert_eq!(segments.outputs(), trace.outputs());
        for steps in [0, keep, batch.steps()] {
            let state = trace.state_after(steps);
            prop_assert_eq!(segments.state_after(steps), Some(state.unwrap()));
        }
        // Twice: backward leaves the run as it was.
        for _ in 0..2 {
            let mut gradient = case.params().zeros_like();
            let into = Some(&mut gradient);
            let own = segments.backward(&weights, cotangent, into, &team).unwrap();
            for (what, a, b) in [
                ("gradient", gradient.data(), whole.data()),
                ("state before", own.data(), before.data()),
            ] {
                let scale = b.iter().fold(1.0f64, |m, x| m.max(x.abs()));
                for (a, b) in a.iter().zip(b) {
                    prop_assert!((a - b).abs() <= 1e-12 * scale, "{what}: {a} {b}");
                }
            }
        }
        let other = Weights::new(&case.network, &case.params()).unwrap();
        prop_assert!(segments.backward(&other, cotangent, None, &team).is_err());
    }

    #[test]
    fn a_row_gets_what_it_would_get_alone(case in cases(36)) {
        let (batch, state) = (case.batch(), case.state());
        let width = case.network.output_width();
        let d = case.noise(batch.total() * width, 3);
        let (whole, d_whole, ..) = run(&case, &batch, &state, &d, 1);
        let before = d_whole.state_before().unwrap();
        let mut sum = case.params().zeros_like();
        for row in 0..case.lengths.len() {
            let alone = case.batch_of(&[row], 0, usize::MAX);
            let mut own = State::zeros(&case.network, 1);
            for sweep in case.network.sweeps() {
                own.row_mut(sweep.index, 0).copy_from_slice(state.row(sweep.index, row));
            }
            let mut d_own = Vec::new();
            for t in 0..alone.steps() {
                d_own.extend_from_slice(&d[batch.at(t, row).unwrap() * width..][..width]);
            }
            let (trace, deltas, gradient, _) = run(&case, &alone, &own, &d_own, 1);
            for t in 0..alone.steps() {
                prop_assert_eq!(trace.output(t, 0), whole.output(t, row));
            }
            let own = deltas.state_before().unwrap();
            for sweep in case.network.sweeps() {
                prop_assert_eq!(own.row(sweep.index, 0), before.row(sweep.index, row));
            }
            sum.data_mut().iter_mut().zip(gradient.data()).for_each(|(s, g)| *s += g);
        }
        let (_, _, gradient, _) = run(&case, &batch, &state, &d, 1);
        let scale = gradient.data().iter().fold(1.0f64, |m, x| m.max(x.abs()));
        for (s, g) in sum.data().iter().zip(gradient.data()) {
            prop_assert!((s - g).abs() <= 1e-12 * scale, "gradients of rows add up: {s} {g}");
        }
    }

    #[test]
    fn steps_are_the_sequence(case in cases(36)) {
        prop_assume!(!case.network.bidirectional);
        fn check<E: Element>(case: &Case) -> Result<(), TestCaseError> {
            let params = case.params().convert::<E>();
            let rows: Vec<usize> = vec![0];
            let f64_batch = case.batch_of(&rows, 0, usize::MAX);
            let length = case.lengths[0];
            let width = case.network.input.width();
            let (all, (x, _), (ids, _)) = (case.lengths.len(), case.x(), case.ids());
            let x: Vec<E> = (0..length).flat_map(|t| x[t * all * width..][..width].to_vec()).map(E::of).collect();
            let ids: Vec<u32> = (0..length).map(|t| ids[t * all]).collect();
            let batch = match case.symbols {
                true => Batch::symbols(&ids, [length, 1], width, None).unwrap(),
                false => Batch::features(&x, [length, 1, width], None).unwrap(),
            };
            assert_eq!(batch.total(), f64_batch.total());
            let weights = Weights::new(&case.network, &params).unwrap();
            let (mut trace, team) = (Trace::new(), Team::new(1));
            let state = State::initial(&case.network, &params, 1).unwrap();
            forward(&weights, &batch, &state, &mut trace, &team).unwrap();
            let mut stepper = Stepper::new(&case.network, &params).unwrap();
            let mut y = vec![E::ZERO; case.network.output_width()];
            for t in 0..length {
                match case.symbols {
                    true => stepper.step_symbol(ids[t], &mut y).unwrap(),
                    false => stepper.step(&x[t * width..][..width], &mut y).unwrap(),
                }
                prop_assert_eq!(Some(y.as_slice()), trace.output(t, 0));
            }
            Ok(())
        }
        check::<f32>(&case)?;
        check::<f64>(&case)?;
    }

    #[test]
    fn the_window_of_all_steps_is_the_whole(case in cases(36), threads in 1usize..3) {
        prop_assume!(!case.network.bidirectional);
        let (batch, state) = (case.batch(), case.state());
        let d = case.noise(batch.total() * case.network.output_width(), 3);
        let (_, _, whole, _) = run(&case, &batch, &state, &d, threads);
        let spans = Window::full(batch.steps()).spans(batch.steps());
        prop_assert_eq!(spans.len(), 1);
        let rows: Vec<usize> = (0..case.lengths.len()).collect();
        let window = case.batch_of(&rows, spans[0].start, spans[0].end);
        let (_, _, windowed, _) = run(&case, &window, &state, &d, threads);
        prop_assert_eq!(whole.data(), windowed.data());
    }

    #[test]
    fn a_carried_state_goes_on_as_if_uncut(case in cases(36), at in 1usize..6) {
        prop_assume!(!case.network.bidirectional && at < case.lengths[0]);
        let alone = case.batch_of(&[0], 0, usize::MAX);
        let weights = Weights::new(&case.network, &case.params()).unwrap();
        let team = Team::new(1);
        let (mut whole, mut part) = (Trace::new(), Trace::new());
        let state = case.state_of(1);
        forward(&weights, &alone, &state, &mut whole, &team).unwrap();
        let head = case.batch_of(&[0], 0, at);
        forward(&weights, &head, &state, &mut part, &team).unwrap();
        let carried = part.final_state().unwrap();
        prop_assert_eq!(&carried, &whole.state_after(at).unwrap());
        let tail = case.batch_of(&[0], at, usize::MAX);
        forward(&weights, &tail, &carried, &mut part, &team).unwrap();
        for t in 0..tail.steps() {
            prop_assert_eq!(part.output(t, 0), whole.output(at + t, 0));
        }
    }
}

/// Single rows go over the weights in turns, and in other pieces than two rows do, once they exceed the caches.
#[test]
fn a_row_alone_is_a_row_among_others_at_every_size() {
    for (&cell, hidden) in CellKind::ALL
        .iter()
        .flat_map(|cell| [20, 65, 130, 333].map(|hidden| (cell, hidden)))
    {
        let network = Network {
            layers: 2,
            output: None,
            ..Network::new(cell, Input::Features(9), hidden, 1)
        };
        let init = Init {
            recurrent: Recurrent::Uniform,
            ..Init::default()
        };
        let params: Params<f32> = init.params(&network, 5).unwrap();
        let weights = Weights::new(&network, &params).unwrap();
        let steps = 3;
        let x: Vec<f32> = (0..steps * 2 * 9).map(|i| (i as f32).sin()).collect();
        let one: Vec<f32> = x.chunks(9).step_by(2).flatten().copied().collect();
        let two = Batch::features(&x, [steps, 2, 9], None).unwrap();
        let one = Batch::features(&one, [steps, 1, 9], None).unwrap();
        let run = |batch: &Batch<f32>| {
            let (mut trace, mut deltas) = (Trace::new(), Deltas::with_inputs());
            let (team, state) = (Team::new(1), State::zeros(&network, batch.rows()));
            forward(&weights, batch, &state, &mut trace, &team).unwrap();
            let given = trace.outputs().to_vec();
            let cotangent = Cotangent {
                outputs: &given,
                state: None,
            };
            backward(&weights, &trace, cotangent, &mut deltas, None, &team).unwrap();
            (trace, deltas)
        };
        let ((alone, d_alone), (among, d_among)) = (run(&one), run(&two));
        let mut stepper = Stepper::new(&network, &params).unwrap();
        let mut y = vec![0.0; hidden];
        for t in 0..steps {
            let wanted = among.output(t, 0);
            let what = format!("{} {hidden} {t}", cell.name());
            assert_eq!(alone.output(t, 0), wanted, "{what}");
            stepper.step(&x[2 * t * 9..][..9], &mut y).unwrap();
            assert_eq!(Some(y.as_slice()), wanted, "{what}");
            let d_x = &d_among.inputs()[2 * t * 9..][..9];
            assert_eq!(&d_alone.inputs()[t * 9..][..9], d_x, "{what}");
        }
    }
}

#[test]
fn shared_steps_are_steps() {
    for &cell in CellKind::ALL {
        // Large enough that units are shared, and of widths that leave the last vector of the last share not whole.
        let hidden = if cell.sizes().drive > 1 { 201 } else { 331 };
        for input in [Input::Features(3), Input::Symbols(3)] {
            let network = Network {
                layers: 2,
                learned_state: true,
                ..Network::new(cell, input, hidden, 2)
            };
            let team = Arc::new(Team::new(3));
            let init = Init {
                recurrent: Recurrent::Uniform,
                ..Init::default()
            };
            let params: Params<f32> = init.params(&network, 5).unwrap();
            let Ok(mut shared) = SharedStepper::new(&network, &params, &team) else {
                assert!(cell.sizes().gated.is_some(), "{}", cell.name());
                continue;
            };
            assert!(shared.threads().all(|n| n > 1), "{}", cell.name());
            let mut alone = Stepper::new(&network, &params).unwrap();
            let (mut y, mut y_alone) = ([0.0; 2], [0.0; 2]);
            let mut after_two = None;
            for t in 0..4 {
                match input {
                    Input::Features(_) => {
                        let x = [0.5, t as f32, -1.0];
                        shared.step(&x, &mut y).unwrap();
                        alone.step(&x, &mut y_alone).unwrap();
                    }
                    Input::Symbols(_) => {
                        shared.step_symbol(t % 3, &mut y).unwrap();
                        alone.step_symbol(t % 3, &mut y_alone).unwrap();
                    }
                }
                assert_eq!(y, y_alone, "{} {t}", cell.name());
                let state = shared.state();
                for layer in 0..2 {
                    assert_eq!(Some(state.row(layer, 0)), alone.state(layer));
                }
                match &after_two {
                    None if t == 1 => {
                        after_two = Some(state);
                        shared.reset();
                        alone.reset();
                    }
                    Some(kept) if t == 2 => {
                        shared.set_state(kept, 0).unwrap();
                        alone.set_state(kept, 0).unwrap();
                    }
                    _ => {}
                }
            }
            assert!(shared.set_state(&State::zeros(&network, 1), 1).is_err());
            let wrong = match input {
                Input::Features(_) => shared.step(&[0.0; 2], &mut y),
                Input::Symbols(_) => shared.step_symbol(3, &mut y),
            };
            assert!(wrong.is_err());
        }
    }
}

#[test]
fn rows_that_lie_elsewhere_make_the_same_batch() {
    let ([steps, rows, width], lengths) = ([5, 3, 2], [2, 5, 3]);
    let x: Vec<f32> = (0..steps * rows * width).map(|i| i as f32).collect();
    let padded = Batch::features(&x, [steps, rows, width], Some(&lengths)).unwrap();
    // The same numbers, each row's steps side by side, without what stands past a row's end.
    let apart: Vec<Vec<f32>> = (0..rows)
        .map(|r| {
            (0..lengths[r])
                .flat_map(|t| x[(t * rows + r) * width..][..width].to_vec())
                .collect()
        })
        .collect();
    let row = |t: usize, r: usize| &apart[r][t * width..][..width];
    let gathered = Batch::of_rows(row, [steps, rows, width], Some(&lengths)).unwrap();
    assert_eq!(gathered.total(), padded.total());
    for (t, r) in (0..steps).flat_map(|t| (0..rows).map(move |r| (t, r))) {
        assert_eq!(gathered.x(t, r), padded.x(t, r));
    }
    let short = |_: usize, _: usize| &x[..1];
    assert!(Batch::of_rows(short, [steps, rows, width], None).is_err());
}

#[test]
fn segments_need_the_memory_of_a_few_steps() {
    let network = Network::new(CellKind::Lstm, Input::Features(1), 16, 1);
    let weights = Weights::new(
        &network,
        &Init::default().params::<f32>(&network, 1).unwrap(),
    )
    .unwrap();
    let (team, state) = (Team::new(1), State::zeros(&network, 2));
    let mut bytes = Vec::new();
    for steps in [256, 4096] {
        let batch = Batch::features(&vec![0.5; 2 * steps], [steps, 2, 1], None).unwrap();
        let (mut trace, mut deltas, mut segments) = (Trace::new(), Deltas::new(), Segments::new());
        forward(&weights, &batch, &state, &mut trace, &team).unwrap();
        segments
            .forward(&weights, &batch, &state, 0, &team)
            .unwrap();
        let cotangent = Cotangent {
            outputs: trace.outputs(),
            state: None,
        };
        backward(&weights, &trace, cotangent, &mut deltas, None, &team).unwrap();
        segments.backward(&weights, cotangent, None, &team).unwrap();
        bytes.push((trace.bytes() + deltas.bytes(), segments.bytes()));
    }
    // Sixteen times the steps: 16 times the memory (and a part that does not grow), or 4 times (and the outputs).
    assert!(bytes[1].0 > 10 * bytes[0].0, "{bytes:?}");
    assert!(bytes[1].1 < 6 * bytes[0].1, "{bytes:?}");
    assert!(30 * bytes[1].1 < bytes[1].0, "{bytes:?}");
    let both = Network {
        bidirectional: true,
        ..network
    };
    let weights = Weights::new(&both, &Init::default().params::<f32>(&both, 1).unwrap()).unwrap();
    let batch = Batch::features(&[0.5; 4], [2, 2, 1], None).unwrap();
    let state = State::zeros(&both, 2);
    let refused = Segments::new().forward(&weights, &batch, &state, 0, &team);
    assert!(matches!(refused, Err(Error::Unsupported(_))));
}
