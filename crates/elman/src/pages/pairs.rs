//! The part of a page that is about what was said in answer to sources.

use super::Run;
use elman_report::training::{PairExample, Pairs};
use elman_report::{Command, Headline, KeyFigure, Tone, TrainingReport, number};
use elman_train::PairScores;

pub(super) fn pairs(
    report: &mut TrainingReport,
    run: &Run<'_>,
    (beam, separator): (usize, &str),
    parts: &[PairScores],
) {
    let percent = |share: f64| format!("{} %", number(100.0 * share));
    let held = parts.iter().rfind(|p| p.held_out);
    let Some(part) = held.or(parts.last()) else {
        return;
    };
    let (tone, verdict) = match part.exact > part.commonest {
        true => (Tone::Good, "The network has learned to answer"),
        false => (Tone::Bad, "The network has not learned to answer yet"),
    };
    report.headline = Headline {
        tone,
        sentences: vec![
            format!("{verdict} on {}.", part.part),
            format!(
                "It says {} of {} exactly as it should; of the symbols, {} are wrong.",
                percent(part.exact),
                part.count,
                percent(part.symbol_error_rate)
            ),
        ],
    };
    for p in parts {
        let name = format!("Exact, {}", p.part);
        let note = format!("symbol error rate {}", percent(p.symbol_error_rate));
        let figure = KeyFigure::new(name, percent(p.exact)).note(note);
        report.key_figures.push(figure);
    }
    let scores = vec![
        KeyFigure::new("Exact", percent(part.exact)).note(part.part.clone()),
        KeyFigure::new("Word error rate", percent(part.word_error_rate)),
        KeyFigure::new("Symbol error rate", percent(part.symbol_error_rate))
            .note(format!("beam of {beam}")),
    ];
    let examples = part.examples.iter().map(|e| {
        // The end's weights are left out: it is not among the symbols.
        let looked = e.attention.iter().take(e.said.len());
        PairExample {
            source: e.source.clone(),
            target: e.target.clone(),
            output: e.said.clone(),
            attention: looked
                .map(|row| row.iter().map(|&a| f64::from(a)).collect())
                .collect(),
        }
    });
    report.pairs = Some(Pairs {
        scores,
        separator: separator.into(),
        examples: examples.collect(),
    });
    let folder = run.folder;
    report.commands = vec![
        Command::new("The scores again", format!("elman evaluate {folder}")),
        Command::new(
            "What it says to others",
            format!("elman predict {folder} --data FILE"),
        ),
        Command::new("Go on training", format!("elman train --resume {folder}")),
    ];
}
