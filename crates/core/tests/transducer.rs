//! Encoder, decoder, attention and bridge: gradients against central differences in f64, and steps against whole runs.

use elman_core::*;

const SYMBOLS: usize = 5;

/// Three rows of unequal lengths on both sides.
fn symbols(known: usize, lengths: &[usize]) -> Batch<f64> {
    let (steps, rows) = (*lengths.iter().max().unwrap(), lengths.len());
    let x: Vec<u32> = (0..steps * rows)
        .map(|i| ((i * 7 + i / 3) % known) as u32)
        .collect();
    Batch::symbols(&x, [steps, rows], known, Some(lengths)).unwrap()
}

struct Case {
    network: Network,
    companions: Companions,
    params: Params<f64>,
    source: Batch<f64>,
    vectors: Vec<f64>,
    target: Batch<f64>,
}

impl Case {
    fn new(cell: CellKind, plan: Plan, layers: usize, bidirectional: bool) -> Case {
        let like = Network {
            layers,
            bidirectional,
            learned_state: plan.attention,
            ..Network::new(cell, Input::Symbols(4), 3, 1)
        };
        let (network, companions) = plan.networks(&like).unwrap();
        let mut params: Params<f64> = Init::default()
            .params_with(&network, &companions, 7)
            .unwrap();
        // Biases start at 0, where mistakes could hide.
        for (i, p) in params.data_mut().iter_mut().enumerate() {
            *p += 0.1 * (i as f64 * 1.3).sin();
        }
        Case {
            network,
            companions,
            params,
            source: symbols(4, &[3, 5, 2]),
            vectors: (0..12).map(|i| (i as f64 * 0.9).cos()).collect(),
            target: symbols(SYMBOLS, &[4, 2, 3]),
        }
    }
    fn given(&self) -> Given<'_, f64> {
        match self.companions.encoder {
            Some(_) => Given::Sequences(&self.source),
            None => Given::Vectors(Rows::new(&self.vectors, 3, 4)),
        }
    }
    /// Σ sin(i) y_i + ½ y_i², which no symmetry of the odds hides from.
    fn loss(&self, params: &Params<f64>) -> f64 {
        let net = Transducer::new(&self.network, &self.companions, params).unwrap();
        let mut trace = TransducerTrace::default();
        let team = Team::new(1);
        net.forward(self.given(), &self.target, &mut trace, &team)
            .unwrap();
        let y = trace.outputs().iter().enumerate();
        y.map(|(i, y)| (i as f64).sin() * y + 0.5 * y * y).sum()
    }
    fn gradient(&self, threads: usize) -> Params<f64> {
        let net = Transducer::new(&self.network, &self.companions, &self.params).unwrap();
        let mut trace = TransducerTrace::default();
        let team = Team::new(threads);
        net.forward(self.given(), &self.target, &mut trace, &team)
            .unwrap();
        let y = trace.outputs().iter().enumerate();
        let d: Vec<f64> = y.map(|(i, y)| (i as f64).sin() + y).collect();
        let mut gradient = self.params.zeros_like();
        net.backward(&mut trace, &d, &mut gradient, &team).unwrap();
        gradient
    }
    /// ‖analytic − numeric‖ / ‖numeric‖ over all parameters, fourth-order differences.
    fn error(&self) -> f64 {
        let analytic = self.gradient(1);
        let (mut miss, mut size) = (0.0, 0.0);
        for i in 0..self.params.data().len() {
            // So short that no difference crosses a corner of max(0, ·), so long that rounding stays below 1e-9.
            let step = 1e-5;
            let at = |by: f64| {
                let mut params = self.params.clone();
                params.data_mut()[i] += by * step;
                self.loss(&params)
            };
            let near = (at(1.0) - at(-1.0)) * 8.0;
            let numeric = (near - at(2.0) + at(-2.0)) / (12.0 * step);
            miss += (numeric - analytic.data()[i]).powi(2);
            size += numeric * numeric;
        }
        (miss / size).sqrt()
    }
}

fn plans() -> Vec<(Plan, bool)> {
    let plan = |reads, attention| Plan {
        reads,
        symbols: SYMBOLS,
        attention,
    };
    vec![
        (plan(Reads::Symbols(4), false), false),
        (plan(Reads::Symbols(4), false), true),
        (plan(Reads::Symbols(4), true), false),
        (plan(Reads::Symbols(4), true), true),
        (plan(Reads::Vectors(4), false), false),
    ]
}

#[test]
fn gradients_of_every_cell_and_mode() {
    for &cell in CellKind::ALL {
        for (plan, bidirectional) in plans() {
            for layers in [1, 2] {
                let case = Case::new(cell, plan, layers, bidirectional);
                let error = case.error();
                assert!(
                    error <= 1e-7,
                    "{cell:?} {plan:?} {layers} {bidirectional}: {error:e}"
                );
            }
        }
    }
}

#[test]
fn threads_change_no_bit() {
    for (plan, bidirectional) in plans() {
        let case = Case::new(CellKind::Lstm, plan, 2, bidirectional);
        let bits = |g: Params<f64>| g.data().iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(case.gradient(1)), bits(case.gradient(3)));
    }
}

/// Free-running is one step at a time, with any rows in any order; it gives what the whole run gives.
#[test]
fn steps_are_the_whole() {
    for &cell in CellKind::ALL {
        for (plan, bidirectional) in plans() {
            let case = Case::new(cell, plan, 2, bidirectional);
            let net = Transducer::new(&case.network, &case.companions, &case.params).unwrap();
            let team = Team::new(1);
            let mut whole = TransducerTrace::default();
            net.forward(case.given(), &case.target, &mut whole, &team)
                .unwrap();
            let mut trace = TransducerTrace::default();
            let mut state = net.read(case.given(), &mut trace, &team).unwrap();
            let mut rows = vec![2, 0, 1];
            state = state.select(&rows);
            for t in 0..4 {
                let keep: Vec<usize> = (0..rows.len())
                    .filter(|&i| case.target.symbol(t, rows[i]).is_some())
                    .collect();
                state = state.select(&keep);
                rows = keep.iter().map(|&i| rows[i]).collect();
                let now: Vec<u32> = rows
                    .iter()
                    .map(|&r| case.target.symbol(t, r).unwrap())
                    .collect();
                let step = Batch::symbols(&now, [1, rows.len()], SYMBOLS, None).unwrap();
                net.decode(&rows, &step, &state, &mut trace, &team).unwrap();
                for (i, &row) in rows.iter().enumerate() {
                    let place = case.target.at(t, row).unwrap() * SYMBOLS;
                    let own = step.at(0, i).unwrap() * SYMBOLS;
                    assert_eq!(
                        trace.outputs()[own..][..SYMBOLS],
                        whole.outputs()[place..][..SYMBOLS],
                        "{cell:?} {plan:?} step {t} row {row}"
                    );
                    let (now, then) = (net.looked(&trace, (0, i)), net.looked(&whole, (t, row)));
                    assert_eq!(now, then);
                    if plan.attention {
                        let sum: f64 = now.iter().sum();
                        assert!((sum - 1.0).abs() < 1e-12 && now.len() == case.source.length(row));
                    }
                }
                state = net.state_after(&trace).unwrap();
            }
        }
    }
}

#[test]
fn what_does_not_fit_is_an_error() {
    let plan = Plan {
        reads: Reads::Vectors(4),
        symbols: SYMBOLS,
        attention: true,
    };
    let like = Network::new(CellKind::Gru, Input::Symbols(4), 3, 1);
    assert!(plan.networks(&like).is_err());
    let case = Case::new(CellKind::Gru, plans()[2].0, 1, false);
    let net = Transducer::new(&case.network, &case.companions, &case.params).unwrap();
    let (mut trace, team) = (TransducerTrace::default(), Team::new(1));
    let vectors = Given::Vectors(Rows::new(&case.vectors, 3, 4));
    assert!(
        net.forward(vectors, &case.target, &mut trace, &team)
            .is_err()
    );
    let few = symbols(SYMBOLS, &[2, 2]);
    assert!(net.forward(case.given(), &few, &mut trace, &team).is_err());
    let own = Params::<f64>::zeros(&case.network).unwrap();
    assert!(Transducer::new(&case.network, &case.companions, &own).is_err());
}
