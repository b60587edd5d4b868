//! Runs of the other modes: text, classification, sequence to sequence, and one of nothing but bad input.

use elman_report::training::{
    Classification, EpochPoint, ErrorRow, ErrorTable, ForecastPart, LearningCurves, Metric,
    PairExample, Pairs, Sample, Score, TextResults,
};
use elman_report::{Fact, FlowHistory, Headline, KeyFigure, Tone, TrainingReport};

use crate::noise::Noise;

pub fn text() -> TrainingReport {
    let mut noise = Noise(3);
    let epochs = (1..=12).map(|epoch| {
        let train = 1.72 + 1.6 * (-(epoch as f64) / 2.2).exp() + 0.01 * noise.draw();
        EpochPoint {
            epoch,
            train,
            validation: train + 0.07 + 0.005 * epoch as f64,
            ..EpochPoint::default()
        }
    });
    TrainingReport {
        title: "Moby-Dick, character by character".into(),
        subtitle: "LSTM, 2 layers of 256 units · 894,291 parameters · seed 1".into(),
        headline: Headline {
            tone: Tone::Good,
            sentences: vec!["The network needs 1.96 bits for a character; counting pairs of characters needs 3.37.".into()],
        },
        key_figures: vec![
            KeyFigure::new("Bits per character", "1.96").note("held-out last 10 %"),
            KeyFigure::new("Perplexity", "3.89").note("per character"),
        ],
        text: Some(TextResults {
            part: "the held-out last 10 %".into(),
            scores: vec![
                Score { model: "this network".into(), own: true, bits: 1.96 },
                Score { model: "bigram model".into(), own: false, bits: 3.37 },
                Score { model: "unigram model".into(), own: false, bits: 4.41 },
            ],
            samples: vec![Sample {
                note: "temperature 0.8, seed 1".into(),
                prompt: "Call me ".into(),
                text: "the captain of the ship, and the whale was still\nto be seen in the <deep> & silent sea; \"aye,\" said Stubb, 'tis\nthe white one.\n\n\tSo the boat swung round.".into(),
            }],
        }),
        curves: Some(LearningCurves { loss: "cross-entropy (bits per character)".into(), epochs: epochs.collect(), best_epoch: Some(12), clip: None }),
        ..TrainingReport::default()
    }
}

pub fn classes() -> TrainingReport {
    let labels: Vec<String> = (1..=9).map(|i| format!("speaker {i}")).collect();
    let counts = (0..9)
        .map(|t| {
            (0..9)
                .map(|p| {
                    if t == p {
                        28 + (t * 7 % 20) as u64
                    } else {
                        u64::from((t * 5 + p * 3) % 11 == 0)
                    }
                })
                .collect()
        })
        .collect();
    TrainingReport {
        title: "JapaneseVowels".into(),
        subtitle: "Leaky Elman network, 1 layer of 64 units · seed 2".into(),
        headline: Headline { tone: Tone::Mixed, sentences: vec!["97.8 % of the held-out recordings are given to the right speaker; always naming the commonest would give 23.8 %.".into()] },
        warnings: vec!["Training stopped at the time limit; the validation loss was still falling.".into()],
        classification: vec![Classification {
            part: "Test".into(),
            labels,
            counts,
            accuracy: Some(0.978),
            macro_f1: Some(0.971),
            majority: Some(0.238),
        }],
        facts: vec![Fact::new("Padding", "11.2 % of the steps in a batch")],
        ..TrainingReport::default()
    }
}

pub fn pairs() -> TrainingReport {
    let symbols = |text: &str| text.split(' ').map(String::from).collect::<Vec<_>>();
    let example = |source: &str, target: &str, output: &str| {
        let (source, output) = (symbols(source), symbols(output));
        let attention = (0..output.len())
            .map(|o| {
                let middle = o as f64 * source.len() as f64 / output.len() as f64;
                let raw: Vec<f64> = (0..source.len())
                    .map(|s| (-(s as f64 - middle).powi(2)).exp())
                    .collect();
                let sum: f64 = raw.iter().sum();
                raw.into_iter().map(|v| v / sum).collect()
            })
            .collect();
        PairExample {
            source,
            target: symbols(target),
            output,
            attention,
        }
    };
    TrainingReport {
        title: "Grapheme to phoneme".into(),
        subtitle: "GRU encoder and decoder, 128 units, Luong attention".into(),
        headline: Headline {
            tone: Tone::Good,
            sentences: vec!["72.1 % of the words come out exactly.".into()],
        },
        pairs: Some(Pairs {
            scores: vec![
                KeyFigure::new("Word error rate", "27.9")
                    .unit("%")
                    .note("5,000 held-out words"),
                KeyFigure::new("Phoneme error rate", "6.8").unit("%"),
            ],
            separator: " ".into(),
            examples: vec![
                example(
                    "r e c u r r e n t",
                    "R IH0 K ER1 AH0 N T",
                    "R IH0 K ER1 AH0 N T",
                ),
                example("t h r o u g h", "TH R UW1", "TH R AW1"),
            ],
        }),
        ..TrainingReport::default()
    }
}

/// Markup in every text, no usable number anywhere, lengths that do not fit.
pub fn hostile() -> TrainingReport {
    let bad = "<script>alert('x')</script> & \"quotes\" \u{0} \u{1b}[31m a-very-long-word-without-any-break-in-it-at-all-0123456789-0123456789-0123456789";
    let nan = f64::NAN;
    TrainingReport {
        title: bad.into(),
        subtitle: bad.into(),
        headline: Headline {
            tone: Tone::Bad,
            sentences: vec![bad.into(), bad.into()],
        },
        key_figures: vec![KeyFigure::new(bad, bad).unit(bad).note(bad)],
        warnings: vec![bad.into()],
        forecasts: vec![ForecastPart {
            label: bad.into(),
            quantity: bad.into(),
            x: vec![bad.into(); 3],
            truth: vec![1.0, nan, 3.0, f64::INFINITY, 2.0],
            forecast: vec![nan; 9],
            lower: vec![1.0],
            upper: vec![nan, 2.0],
            interval: bad.into(),
            ..ForecastPart::default()
        }],
        errors: vec![ErrorTable {
            part: bad.into(),
            metrics: vec![Metric::new(bad, bad), Metric::new("RMSE", "")],
            rows: vec![
                ErrorRow {
                    model: bad.into(),
                    own: true,
                    values: vec![nan],
                },
                ErrorRow {
                    model: "b".into(),
                    own: false,
                    values: vec![1.0, f64::NEG_INFINITY],
                },
            ],
        }],
        text: Some(TextResults {
            part: bad.into(),
            scores: vec![Score {
                model: bad.into(),
                own: true,
                bits: nan,
            }],
            samples: vec![Sample {
                note: bad.into(),
                prompt: bad.into(),
                text: bad.into(),
            }],
        }),
        classification: vec![Classification {
            part: bad.into(),
            labels: vec![bad.into(); 2],
            counts: vec![vec![0, 0], vec![0]],
            accuracy: Some(nan),
            ..Classification::default()
        }],
        pairs: Some(Pairs {
            examples: vec![PairExample {
                source: vec![bad.into()],
                output: vec![bad.into(); 2],
                attention: vec![vec![nan], vec![]],
                ..PairExample::default()
            }],
            ..Pairs::default()
        }),
        curves: Some(LearningCurves {
            loss: bad.into(),
            epochs: vec![
                EpochPoint::default(),
                EpochPoint {
                    epoch: 1,
                    train: 1e308,
                    validation: -1e308,
                    gradient_norm: 0.0,
                    ..EpochPoint::default()
                },
            ],
            best_epoch: Some(99),
            clip: Some(nan),
        }),
        flow: Some(FlowHistory {
            epochs: vec![1],
            lags: vec![0, 1],
            norms: vec![vec![0.0, nan, 1.0]],
            horizon: vec![nan],
            ..FlowHistory::default()
        }),
        config: bad.into(),
        reproduce: bad.into(),
        ..TrainingReport::default()
    }
}
