//! Truncated backpropagation through time as the trainer makes it: windows, strides, burn-in, carried and learned
//! states, what is counted, what it keeps, and how it stops.

use elman_core::*;
use elman_train::{
    Config, Error, Learner, Method, Outcome, Piece, Progress, Reach, Read, Recurrent, Schedule,
    Source, Sum, Target, Trainer, Work, defaults, task::Task,
};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// Rows of two features and one target.
struct Rows {
    lengths: Vec<usize>,
    x: fn(usize, usize) -> [f32; 2],
    target: fn(usize, usize) -> f32,
    streams: bool,
}

impl Rows {
    fn of(lengths: &[usize]) -> Rows {
        Rows {
            lengths: lengths.to_vec(),
            x: |r, t| {
                [
                    ((3 * r + t) as f32 * 0.7).sin(),
                    ((r + t * t) as f32 * 0.3).cos(),
                ]
            },
            target: |r, t| ((r + t) as f32 * 0.4).sin() + 0.1 * t as f32,
            streams: false,
        }
    }
}

impl Task for Rows {
    fn name(&self) -> &'static str {
        "rows"
    }
    fn network(&self, config: &Config) -> Result<Network, Error> {
        Ok(Network {
            learned_state: config.learned_state,
            ..Network::new(config.cell()?, Input::Features(2), config.hidden, 1)
        })
    }
    fn source(&self) -> &dyn Source {
        self
    }
    fn validate(&self, _: &Network, _: &Params<f32>, _: &Team) -> Result<Option<Sum>, Error> {
        Ok(None)
    }
    fn knowledge(&self) -> Result<BTreeMap<String, String>, Error> {
        Ok(BTreeMap::new())
    }
}

impl Source for Rows {
    fn lengths(&self) -> &[usize] {
        &self.lengths
    }
    fn streams(&self) -> bool {
        self.streams
    }
    fn piece(&self, rows: &[usize], from: usize, to: usize) -> Result<Piece, Error> {
        let lengths: Vec<usize> = rows
            .iter()
            .map(|&r| self.lengths[r].min(to) - from)
            .collect();
        let steps = lengths.iter().copied().max().unwrap();
        let (mut x, mut target) = (Vec::new(), Vec::new());
        for t in from..from + steps {
            for &row in rows {
                x.extend((self.x)(row, t));
                target.push((self.target)(row, t));
            }
        }
        let batch = Batch::features(&x, [steps, rows.len(), 2], Some(&lengths))?;
        let target = Target::Numbers(batch.pack(&target, 1).unwrap());
        Ok(Piece {
            batch,
            target,
            counted: None,
            read: Read::Last,
        })
    }
}

fn config() -> Config {
    Config {
        hidden: 5,
        batch: 3,
        window: Reach::Steps(0),
        burn_in: 0,
        epochs: 3,
        patience: 0,
        learning_rate: 0.01,
        schedule: Schedule::Constant,
        warm_up: 0.0,
        ..defaults("forecast").unwrap()
    }
}

/// What training told and left.
struct Trained {
    progress: Progress,
    result: Result<Outcome, Error>,
    /// Numbers counted in the loss of the first epoch.
    counted: f64,
}

impl Trained {
    fn loss(&self, epoch: usize) -> f64 {
        self.progress.epochs[epoch].train_loss
    }
    fn bits(&self) -> Vec<u32> {
        self.progress
            .params
            .data()
            .iter()
            .map(|x| x.to_bits())
            .collect()
    }
}

/// Trains; every `stop` steps (0: never) it is stopped and goes on from what it had.
fn train(source: &Rows, config: &Config, stop: usize) -> Trained {
    let network = source.network(config).unwrap();
    let team = Team::new(1);
    let trainer = Trainer {
        network: &network,
        config,
        task: source,
        team: &team,
    };
    let mut progress = trainer.start().unwrap();
    let (mut counted, mut steps) = (0.0, 0);
    loop {
        let result = trainer.run(
            &mut progress,
            &mut |event| {
                steps += usize::from(matches!(event, elman_train::Event::Step { .. }));
                match stop > 0 && steps % stop == 0 {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            },
            &mut |progress, _| {
                if progress.epochs.is_empty() {
                    counted = progress.running.sum.count;
                }
                Ok(())
            },
        );
        // An epoch's end is told, too, and may be where it stops.
        steps += 1;
        if !matches!(result, Ok(Outcome::Interrupted)) {
            return Trained {
                progress,
                result,
                counted,
            };
        }
    }
}

#[test]
fn a_window_of_the_whole_length_is_no_window() {
    let rows = Rows::of(&[12, 7, 12, 3, 9, 12, 1]);
    let full = train(&rows, &config(), 0);
    for (window, stride) in [(12, 0), (12, 12), (50, 0), (1000, 1000)] {
        let config = Config {
            window: Reach::Steps(window),
            stride,
            ..config()
        };
        assert_eq!(train(&rows, &config, 0).bits(), full.bits());
    }
    let short = Config {
        window: Reach::Steps(4),
        ..config()
    };
    assert_ne!(train(&rows, &short, 0).bits(), full.bits());
}

#[test]
fn every_loss_counts_once_whatever_the_stride() {
    let lengths = [12, 7, 12, 3, 9, 12, 1];
    // A learning rate that moves nothing: the losses of all windows are those of the same weights.
    let still = |window, stride, burn_in| Config {
        learning_rate: 1e-300,
        weight_decay: 0.0,
        epochs: 1,
        batch: 7,
        window: Reach::Steps(window),
        stride,
        burn_in,
        ..config()
    };
    for streams in [false, true] {
        for burn_in in [0, 2, 5] {
            let rows = Rows {
                streams,
                ..Rows::of(&lengths)
            };
            let full = train(&rows, &still(0, 0, burn_in), 0);
            let expected: usize = lengths.iter().map(|l| l.saturating_sub(burn_in)).sum();
            assert_eq!(full.counted, expected as f64);
            for (window, stride) in [(4, 4), (4, 1), (5, 3), (6, 2), (12, 5), (1, 1)] {
                let truncated = train(&rows, &still(window, stride, burn_in), 0);
                assert_eq!(truncated.counted, expected as f64, "{window} {stride}");
                let (a, b) = (truncated.loss(0), full.loss(0));
                assert!((a - b).abs() < 1e-6 * b, "{window} {stride}: {a} and {b}");
            }
        }
    }
}

#[test]
fn burn_in_counts_in_no_loss_and_moves_no_weight() {
    let rows = Rows::of(&[12, 7, 12, 3, 9, 12, 1]);
    let wild = Rows {
        target: |r, t| match t {
            0..4 => 1e5,
            _ => ((r + t) as f32 * 0.4).sin() + 0.1 * t as f32,
        },
        ..Rows::of(&rows.lengths)
    };
    for (window, stride) in [(0, 0), (5, 5), (6, 2), (3, 3)] {
        let config = Config {
            burn_in: 4,
            window: Reach::Steps(window),
            stride,
            ..config()
        };
        let (a, b) = (train(&rows, &config, 0), train(&wild, &config, 0));
        assert_eq!(a.bits(), b.bits());
        assert_eq!(a.loss(2), b.loss(2));
    }
}

#[test]
fn stopped_after_any_step_it_goes_on_to_the_same_bits() {
    let rows = Rows::of(&[12, 7, 12, 3, 9, 12, 1]);
    for optimiser in [Method::Sgd, Method::RmsProp, Method::Adam, Method::AdamW] {
        for (window, stride, streams) in [(0, 0, false), (4, 4, false), (5, 2, true)] {
            let config = Config {
                optimiser,
                window: Reach::Steps(window),
                stride,
                learned_state: true,
                schedule: Schedule::Cosine,
                ..config()
            };
            let rows = Rows {
                streams,
                ..Rows::of(&rows.lengths)
            };
            let whole = train(&rows, &config, 0);
            for stop in [2, 3, 5] {
                assert_eq!(train(&rows, &config, stop).bits(), whole.bits());
            }
        }
    }
}

fn finite(progress: &Progress) -> bool {
    let moments = progress.optimiser.moments().iter().flatten();
    let params = [&progress.params, &progress.best];
    let params = params.into_iter().flat_map(|p| p.data());
    moments.chain(params).all(|x| x.is_finite())
}

#[test]
fn a_run_that_diverges_names_the_step_and_keeps_finite_weights() {
    let rows = Rows::of(&[40, 40, 40, 40, 40, 40]);
    for optimiser in [Method::Sgd, Method::RmsProp, Method::Adam, Method::AdamW] {
        for (rate, clip) in [(1000.0, 0.0), (1000.0, 1.0), (5.0, 0.0)] {
            let config = Config {
                cell: "elman-relu".into(),
                gain: 3.0,
                optimiser,
                learning_rate: rate,
                clip,
                epochs: 60,
                ..config()
            };
            let trained = train(&rows, &config, 0);
            assert!(finite(&trained.progress), "{optimiser:?} {rate} {clip}");
            match trained.result {
                Err(Error::Diverged { step, epoch, .. }) => {
                    assert_eq!(step, trained.progress.optimiser.steps() + 1);
                    assert_eq!(epoch, trained.progress.epochs.len() + 1);
                }
                Ok(_) => assert!(clip > 0.0 || optimiser != Method::Sgd, "{rate} is too much"),
                Err(other) => panic!("{other}"),
            }
        }
    }
}

#[test]
fn a_gradient_whose_square_is_infinite_stops_it_before_the_first_step() {
    let rows = Rows {
        target: |_, _| 1e25,
        ..Rows::of(&[12, 12])
    };
    let unclipped = Config {
        clip: 0.0,
        ..config()
    };
    let trained = train(&rows, &unclipped, 0);
    assert!(
        matches!(
            trained.result,
            Err(Error::Diverged {
                step: 1,
                epoch: 1,
                ..
            })
        ),
        "{:?}",
        trained.result
    );
    assert!(finite(&trained.progress));
    // Clipped, it is one like any other.
    let trained = train(&rows, &config(), 0);
    assert_eq!(trained.result.unwrap(), Outcome::Finished);
    assert!(finite(&trained.progress));
}

#[test]
fn a_learned_state_learns() {
    // Nothing to read, and only the first word to say.
    let rows = Rows {
        x: |_, _| [0.0, 0.0],
        target: |_, t| if t == 0 { 1.0 } else { 0.0 },
        ..Rows::of(&[8; 6])
    };
    for window in [0, 3] {
        let config = Config {
            learned_state: true,
            window: Reach::Steps(window),
            epochs: 60,
            learning_rate: 0.02,
            weight_decay: 0.0,
            ..config()
        };
        let trained = train(&rows, &config, 0);
        assert!(trained.loss(59) < 0.1 * trained.loss(0));
        let state = trained.progress.params.get("state_l0").unwrap();
        assert!(state.iter().any(|s| s.abs() > 0.05), "{state:?}");
        // Without what was learned, it says something else.
        let network = Network {
            learned_state: true,
            ..Network::new(config.cell().unwrap(), Input::Features(2), config.hidden, 1)
        };
        let params = &trained.progress.params;
        let said = |state: State<f32>| {
            let weights = Weights::new(&network, params).unwrap();
            let batch = Batch::features(&[0.0, 0.0], [1, 1, 2], None).unwrap();
            let mut trace = Trace::new();
            forward(&weights, &batch, &state, &mut trace, &Team::new(1)).unwrap();
            trace.outputs()[0]
        };
        let learned = said(State::initial(&network, params, 1).unwrap());
        let zero = said(State::zeros(&network, 1));
        assert!(
            (learned - 1.0).abs() < 0.2 && (zero - learned).abs() > 0.05,
            "{learned} {zero}"
        );
    }
}

#[test]
fn memory_grows_with_the_window_not_with_the_length() {
    let network = Network::new(CellKind::Elman, Input::Features(2), 8, 1);
    let params: Params<f32> = Init::default().params(&network, 1).unwrap();
    let weights = Weights::new(&network, &params).unwrap();
    let team = Team::new(1);
    let needed = |window: usize, steps: usize| {
        let rows = Rows::of(&[steps; 4]);
        let mut trace = Trace::new();
        let mut state = State::zeros(&network, 4);
        for span in Window::of(window).spans(steps) {
            let piece = rows.piece(&[0, 1, 2, 3], span.start, span.end).unwrap();
            forward(&weights, &piece.batch, &state, &mut trace, &team).unwrap();
            state = trace.state_after(span.keep - span.start).unwrap();
        }
        trace.bytes()
    };
    assert_eq!(needed(50, 200), needed(50, 2000));
    let (one, two) = (needed(50, 2000) as f64, needed(100, 2000) as f64);
    assert!((1.5..2.5).contains(&(two / one)), "{one} and {two}");
}

#[test]
fn the_picked_window_keeps_the_bias_of_the_gradient() {
    let rows = Rows::of(&[300, 300, 280, 260]);
    let mut network = Network::new(CellKind::Elman, Input::Features(2), 12, 1);
    network.output = Some(1);
    let mut picked = Vec::new();
    for (gain, bias) in [(0.5, 0.1), (0.9, 0.1), (0.9, 0.01)] {
        let config = Config {
            window: Reach::Auto,
            window_bias: Some(bias),
            gain,
            ..config()
        };
        let init = config.initial().unwrap();
        let params: Params<f32> = init.params(&network, 3).unwrap();
        let mut learner = Recurrent::new(&network, &config, &rows, &params).unwrap();
        let reach = learner.reach(&params).unwrap();
        let mut gradient = |window: Window| {
            let mut whole = vec![0.0f64; params.data().len()];
            let mut state = None;
            for span in window.spans(300) {
                let reaching: Vec<usize> =
                    (0..4).filter(|&r| rows.lengths[r] > span.start).collect();
                let mut part = params.zeros_like();
                let work = Work {
                    epoch: 1,
                    batch: 0,
                    rows: &reaching,
                    span,
                    state: state.as_ref(),
                };
                let lesson = learner
                    .learn(&params, work, &mut part, &Team::new(1))
                    .unwrap();
                state = lesson.state;
                let parts = part.data().iter().map(|&g| f64::from(g) * lesson.sum.count);
                whole.iter_mut().zip(parts).for_each(|(w, p)| *w += p);
            }
            let w_hh = params
                .layout()
                .views()
                .iter()
                .find(|v| v.name == "weight_hh_l0")
                .unwrap();
            whole[w_hh.range()].to_vec()
        };
        let full = gradient(Window::full(300));
        let cut = gradient(config.window(reach, 300));
        let norm = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>().sqrt();
        let missed = norm(&mut full.iter().zip(&cut).map(|(f, c)| f - c));
        let relative = missed / norm(&mut full.iter().copied());
        assert!(relative <= bias, "{relative} with {reach:?} at gain {gain}");
        picked.push(reach.unwrap());
    }
    assert!(
        picked[0] < picked[1] && picked[1] < picked[2] && picked[2] < 300,
        "{picked:?}"
    );
}

#[test]
fn a_window_that_is_picked_is_picked_again_and_kept_when_interrupted() {
    let rows = Rows::of(&[90, 80, 60, 60, 50]);
    let config = Config {
        window: Reach::Auto,
        schedule: Schedule::Cosine,
        ..config()
    };
    let whole = train(&rows, &config, 0);
    let windows: Vec<_> = whole.progress.epochs.iter().map(|e| e.window).collect();
    assert!(
        windows.iter().all(|w| w.is_some_and(|w| w < 90)),
        "{windows:?}"
    );
    for after in [1, 3, 8] {
        assert_eq!(train(&rows, &config, after).bits(), whole.bits());
    }
}

#[test]
fn checkpointing_learns_the_same_in_less_memory() {
    let rows = Rows::of(&[40, 7, 33, 3, 40, 12, 1]);
    for (window, stride, streams) in [(0, 0, false), (17, 17, false), (20, 6, true)] {
        let plain = Config {
            window: Reach::Steps(window),
            stride,
            learned_state: true,
            ..config()
        };
        let rows = Rows {
            streams,
            ..Rows::of(&rows.lengths)
        };
        let checkpointed = Config {
            checkpoint: true,
            ..plain.clone()
        };
        let (a, b) = (train(&rows, &plain, 0), train(&rows, &checkpointed, 0));
        assert_eq!(a.counted, b.counted);
        for epoch in 0..3 {
            let (a, b) = (a.loss(epoch), b.loss(epoch));
            assert!((a - b).abs() <= 1e-5 * a, "{window} {stride}: {a} and {b}");
        }
        assert_eq!(train(&rows, &checkpointed, 3).bits(), b.bits());
    }
}
