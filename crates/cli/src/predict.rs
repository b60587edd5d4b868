//! `elman predict`.

use crate::output;
use anyhow::Result;
use elman::core::Team;
use elman::train::task::{Answer, LabelModel, PairModel};
use elman::train::{Trained, Use};
use serde::Serialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Say what comes after the end of a series, what new sequences are, or what answers to them.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  elman predict runs/sunspots --steps 11 > next.csv\n  elman predict runs/load --data today.csv --steps 24\n  elman predict runs/vowels --data new.ts > classes.csv\n  elman predict runs/words --data words.txt --beam 10"
)]
pub struct Args {
    /// The run folder
    run: PathBuf,
    /// How many steps (forecasts)
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    steps: u32,
    /// A series to go on from, or sequences to answer about [default: what it was trained on]
    #[arg(long, value_name = "FILE")]
    data: Option<String>,
    /// Hypotheses kept while searching for what to say [default: that of training]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=1000))]
    beam: Option<u16>,
    /// One machine-readable document on standard output
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Forecast {
    target: String,
    after: String,
    values: Vec<f64>,
}

pub fn run(args: Args) -> Result<()> {
    let trained = Trained::load(&args.run)?;
    match &trained.used {
        Use::Labels(model) => answers(&trained, model, &args),
        Use::Pairs(model) => say(&trained, model, &args),
        _ => forecast(&trained, &args),
    }
}

fn forecast(trained: &Trained, args: &Args) -> Result<()> {
    let frame = trained.frame(args.data.as_deref())?;
    let values = trained.forecaster()?.ahead(&frame, args.steps as usize)?;
    let last = frame.rows().saturating_sub(2)..frame.rows();
    let last = frame.labels.part(last);
    let after = last.last().cloned().unwrap_or_default();
    let labels = following(&last, values.len());
    let target = frame.names[0].clone();
    if args.json {
        return output::json(&Forecast {
            target,
            after,
            values,
        });
    }
    let mut csv = format!("step,{}\n", quoted(&target));
    for (label, value) in labels.iter().zip(&values) {
        csv.push_str(&format!("{label},{value}\n"));
    }
    output::print(&csv)
}

/// What the network says about one sequence, or one step of it.
#[derive(Serialize)]
struct Said<'a> {
    id: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    probabilities: BTreeMap<&'a str, f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<f64>,
}

fn answers(trained: &Trained, model: &LabelModel, args: &Args) -> Result<()> {
    let file = args.data.as_ref().or(trained.config.data.as_ref());
    let file = file.ok_or_else(|| output::Usage("say which file with --data FILE".into()))?;
    let (sequences, answers) = trained.answers(file, &Team::new(1))?;
    let (classes, steps) = (model.classes(), model.question().every_step());
    let mut all = Vec::new();
    for (row, answer) in sequences.iter().zip(&answers) {
        let step = |t: usize| steps.then_some(t + 1);
        match answer {
            Answer::Classes(p) => {
                for (t, p) in p.chunks_exact(classes.len()).enumerate() {
                    let names = classes.iter().map(String::as_str);
                    let best = p.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
                    all.push(Said {
                        id: row.id.clone(),
                        step: step(t),
                        class: best.map(|(i, _)| classes[i].as_str()),
                        probabilities: names.zip(p.iter().copied()).collect(),
                        value: None,
                    });
                }
            }
            Answer::Numbers(y) => all.extend(y.iter().enumerate().map(|(t, &y)| Said {
                id: row.id.clone(),
                step: step(t),
                class: None,
                probabilities: BTreeMap::new(),
                value: Some(y),
            })),
        }
    }
    if args.json {
        return output::json(&all);
    }
    let mut csv = String::from("id");
    csv.push_str(if steps { ",step" } else { "" });
    match classes.is_empty() {
        true => csv.push_str(",value"),
        false => csv.push_str(",class"),
    }
    classes
        .iter()
        .for_each(|c| csv.push_str(&format!(",{}", quoted(&format!("p({c})")))));
    for said in &all {
        csv.push_str(&format!("\n{}", quoted(&said.id)));
        said.step
            .iter()
            .for_each(|t| csv.push_str(&format!(",{t}")));
        said.value
            .iter()
            .for_each(|y| csv.push_str(&format!(",{y}")));
        said.class
            .iter()
            .for_each(|c| csv.push_str(&format!(",{}", quoted(c))));
        for class in classes {
            csv.push_str(&format!(",{}", said.probabilities[class.as_str()]));
        }
    }
    csv.push('\n');
    output::print(&csv)
}

/// What the network says to one source.
#[derive(Serialize)]
struct Spoken<'a> {
    source: &'a str,
    said: &'a str,
    probability: f64,
}

fn say(trained: &Trained, model: &PairModel, args: &Args) -> Result<()> {
    let file = args.data.as_ref().or(trained.config.data.as_ref());
    let file = file.ok_or_else(|| output::Usage("say which file with --data FILE".into()))?;
    let mut search = model.search();
    search.beam = args.beam.map_or(search.beam, usize::from);
    let said = trained.say(file, search, &Team::new(1))?;
    if args.json {
        let all = said.iter().map(|(source, s)| Spoken {
            source,
            said: &s.text,
            probability: s.probability,
        });
        return output::json(&all.collect::<Vec<_>>());
    }
    let lines = said
        .iter()
        .map(|(source, s)| format!("{source}\t{}\t{:.4}\n", s.text, s.probability));
    output::print(&lines.collect::<String>())
}

/// Labels of the steps that follow: further whole numbers where the last two are neighbours, else +1, +2, …
fn following(labels: &[String], steps: usize) -> Vec<String> {
    let whole = |back: usize| {
        labels
            .len()
            .checked_sub(back)
            .and_then(|i| labels[i].parse::<i64>().ok())
    };
    let next = match (whole(2), whole(1)) {
        (Some(a), Some(b)) if b == a + 1 => Some(b),
        _ => None,
    };
    (1..=steps as i64)
        .map(|i| next.map_or(format!("+{i}"), |last| (last + i).to_string()))
        .collect()
}

fn quoted(name: &str) -> String {
    match name.contains([',', '"', '\n']) {
        true => format!("\"{}\"", name.replace('"', "\"\"")),
        false => name.into(),
    }
}
