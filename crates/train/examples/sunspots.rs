//! Scratch.
use elman_core::*;
use elman_train::data::*;
use elman_train::task::*;
use elman_train::*;
use std::ops::ControlFlow;
fn main() {
    let text = std::env::args().nth(1).unwrap_or_default();
    let mut config = Config {
        task: "forecast".into(),
        missing: Missing::Refuse,
        scale: Scaling::Standard,
        validation: 0.15,
        test: 0.15,
        sequence: 48,
        hop: 1,
        batch: 16,
        cell: "elman".into(),
        hidden: 12,
        layers: 1,
        learned_state: false,
        init: Initial::Orthogonal,
        gain: 0.9,
        window: 0,
        stride: 0,
        burn_in: 12,
        clip: 1.0,
        clip_value: 0.0,
        loss: Loss::Mse,
        optimiser: Method::AdamW,
        learning_rate: 0.005,
        momentum: 0.9,
        weight_decay: 0.01,
        schedule: Schedule::Cosine,
        warm_up: 0.05,
        epochs: 60,
        patience: 0,
        seed: 1,
        target: None,
        features: None,
        memory: None,
        minutes: None,
    };
    config = Options::from_toml("args", &text).unwrap().over(config);
    let hold: usize = std::env::var("HOLD").map_or(33, |v| v.parse().unwrap());
    let mut all = vec![];
    for seed in 1..=5 {
        config.seed = seed;
        let frame = sunspots()
            .unwrap()
            .select(&[SUNSPOTS_TARGET], Missing::Refuse)
            .unwrap();
        let split = sunspots_split(&frame.labels)
            .unwrap()
            .hold_out(hold)
            .unwrap();
        let task = Forecast::new(frame, split, &config).unwrap();
        let network = task.network(&config).unwrap();
        let team = Team::new(1);
        let trainer = Trainer {
            network: &network,
            config: &config,
            source: task.source(),
            validate: &|w, t| task.validate(w, t),
            team: &team,
        };
        let mut progress = trainer.start().unwrap();
        trainer
            .run(
                &mut progress,
                &mut |_| ControlFlow::Continue(()),
                &mut |_| Ok(()),
            )
            .unwrap();
        let last = std::env::var("LAST").is_ok();
        let params = if last { progress.params } else { progress.best };
        let model = ForecastModel::new(network, params, &task.knowledge().unwrap()).unwrap();
        let parts: Vec<_> = task
            .split()
            .parts()
            .iter()
            .map(|p| p.rows.clone())
            .collect();
        let variance = baselines::variance(&task.frame().columns[0]);
        let arv: Vec<f64> = model
            .one_step(task.frame(), &parts, &team)
            .unwrap()
            .iter()
            .map(|p| {
                p.truth
                    .iter()
                    .zip(&p.forecast)
                    .map(|(a, b)| (a - b).powi(2))
                    .sum::<f64>()
                    / p.truth.len() as f64
                    / variance
            })
            .collect();
        println!("seed {seed} best epoch {} {:.3?}", progress.best_epoch, arv);
        all.push(arv[2]);
    }
    all.sort_by(f64::total_cmp);
    println!(
        "1921-55 median {:.4}  min {:.4} max {:.4}",
        all[2], all[0], all[4]
    );
}
