//! Training runs that end well.

mod command;

use command::{Place, SHORT, prose, wave};
use serde_json::Value;
use std::collections::BTreeSet;

fn train<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["train"], more, &SHORT].concat()
}

#[test]
fn the_default_run_leaves_a_whole_folder() {
    let place = Place::new();
    let ended = place.well(&["train", "--quiet"]);
    assert!(ended.out.contains("1921-1955") && ended.out.contains("linear autoregression"));
    for file in [
        "model.safetensors",
        "config.toml",
        "metrics.jsonl",
        "checkpoint.safetensors",
        "report.html",
    ] {
        assert!(!place.bytes(&format!("runs/sunspots/{file}")).is_empty());
    }
    let metrics = String::from_utf8(place.bytes("runs/sunspots/metrics.jsonl")).unwrap();
    for (i, line) in metrics.lines().enumerate() {
        let epoch: Value = serde_json::from_str(line).unwrap();
        assert_eq!(epoch["epoch"], i + 1);
        assert!(epoch["train_loss"].as_f64().unwrap() > 0.0);
    }
    let page = String::from_utf8(place.bytes("runs/sunspots/report.html")).unwrap();
    assert!(page.contains("Yearly sunspot numbers") && page.contains("persistence"));
    assert!(place.leftovers().is_empty());
    // A second run takes another folder.
    place.well(&["train", "--quiet", "--epochs", "2"]);
    assert!(place.path("runs/sunspots-2/model.safetensors").exists());
}

#[test]
fn json_is_one_document() {
    let place = Place::new();
    place.write("load.csv", wave(200));
    let ended = place.well(&train(&[
        "load.csv", "--target", "load", "--json", "--out", "r",
    ]));
    let document: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(ended.err, "");
    assert_eq!(document["evaluation"]["target"], "load");
    for command in [
        vec!["evaluate", "r", "--json"],
        vec!["predict", "r", "--steps", "3", "--json"],
        vec!["info", "r", "--json"],
    ] {
        let _: Value = serde_json::from_str(&place.well(&command).out).unwrap();
    }
    let ended = place.well(&["gradcheck", "--cell", "elman", "--json"]);
    let _: Value = serde_json::from_str(&ended.out).unwrap();
}

#[test]
fn the_same_bits_whatever_the_threads_and_from_its_own_configuration() {
    let place = Place::new();
    place.write("load.csv", wave(300));
    place.write("sea.txt", prose(400));
    for (file, more) in [
        ("load.csv", vec!["--target", "load", "--features", "heat"]),
        ("sea.txt", vec!["--layers", "2"]),
    ] {
        let first = [
            &[
                "train",
                file,
                "--out",
                "a",
                "--quiet",
                "--hidden",
                "7",
                "--epochs",
                "2",
                "--threads",
                "1",
            ],
            more.as_slice(),
        ]
        .concat();
        let second = [
            &[
                "train",
                file,
                "--out",
                "b",
                "--quiet",
                "--hidden",
                "7",
                "--epochs",
                "2",
                "--threads",
                "2",
            ],
            more.as_slice(),
        ]
        .concat();
        place.well(&first);
        place.well(&second);
        place.well(&[
            "train",
            "--config",
            "a/config.toml",
            "--out",
            "c",
            "--quiet",
        ]);
        for file in ["model.safetensors", "config.toml"] {
            assert_eq!(
                place.bytes(&format!("a/{file}")),
                place.bytes(&format!("b/{file}"))
            );
            assert_eq!(
                place.bytes(&format!("a/{file}")),
                place.bytes(&format!("c/{file}"))
            );
        }
        for run in ["a", "b", "c"] {
            std::fs::remove_dir_all(place.path(run)).unwrap();
        }
    }
}

#[test]
fn every_key_is_a_flag_and_every_flag_a_key() {
    let place = Place::new();
    // A key that is not there is answered with all that are.
    place.write("c.toml", "sparkle = 1\n");
    let said = place.elman(&["train", "--config", "c.toml"]).err;
    let keys: BTreeSet<String> = said
        .split('`')
        .skip(3)
        .step_by(2)
        .map(|key| key.replace('_', "-"))
        .filter(|key| key != "data")
        .collect();
    assert!(keys.len() > 25 && keys.contains("learning-rate"), "{said}");
    let help = place.well(&["train", "--help"]).out;
    let flags = help.lines().filter_map(|line| {
        let line = line.trim_start();
        let long = &line[line.starts_with('-').then(|| line.find("--"))??..];
        let end = long[2..].find(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        Some(long[2..][..end.unwrap_or(long.len() - 2)].to_string())
    });
    // These say where to and how, not what is learned.
    let of_the_sitting = [
        "config",
        "out",
        "resume",
        "threads",
        "tensorboard",
        "quiet",
        "json",
        "help",
    ];
    let flags: BTreeSet<String> = flags
        .filter(|flag| !of_the_sitting.contains(&flag.as_str()))
        .collect();
    assert_eq!(flags, keys);
    // What a run writes are keys, too.
    place.well(&["train", "--quiet", "--epochs", "1", "--out", "r"]);
    let config = String::from_utf8(place.bytes("r/config.toml")).unwrap();
    let written = config.lines().filter_map(|l| l.split_once(" = "));
    for (key, _) in written {
        assert!(keys.contains(&key.replace('_', "-")), "{key}");
    }
}

#[test]
fn forecasts_follow_the_labels() {
    let place = Place::new();
    place.write("load.csv", wave(200));
    place.well(&train(&["load.csv", "--target", "load", "--out", "r"]));
    let csv = place.well(&["predict", "r", "--steps", "3"]).out;
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines[0], "step,load");
    assert!(
        lines[1].starts_with("200,") && lines[3].starts_with("202,"),
        "{csv}"
    );
    place.write("later.csv", wave(260));
    let csv = place
        .well(&["predict", "r", "--steps", "1", "--data", "later.csv"])
        .out;
    assert!(csv.contains("\n260,"), "{csv}");
    assert!(
        place
            .well(&["evaluate", "r", "--data", "later.csv"])
            .out
            .contains("persistence")
    );
}

#[test]
fn text_is_generated_the_same_for_the_same_seed() {
    let place = Place::new();
    place.write("sea.txt", prose(400));
    place.well(&train(&["sea.txt", "--out", "r", "--cell", "gru"]));
    let write = |seed: &str| {
        let ended = place.well(&[
            "generate", "r", "--length", "60", "--seed", seed, "--prompt", "the ",
        ]);
        assert_eq!(ended.out.chars().count(), 4 + 60 + 1);
        ended.out
    };
    assert_eq!(write("3"), write("3"));
    assert_ne!(write("3"), write("4"));
    assert!(
        place
            .well(&["evaluate", "r"])
            .out
            .contains("bits per character")
    );
    let greedy = place
        .well(&[
            "generate",
            "r",
            "--temperature",
            "0",
            "--top-k",
            "1",
            "--length",
            "5",
        ])
        .out;
    assert_eq!(greedy.chars().count(), 6);
}

#[test]
fn more_epochs_after_the_end() {
    let place = Place::new();
    place.write("sea.txt", prose(300));
    let constant = ["sea.txt", "--schedule", "constant", "--warm-up", "0"];
    place.well(&train(&[&constant[..], &["--out", "r"]].concat()));
    place.well(&["train", "--resume", "r", "--epochs", "5", "--quiet"]);
    let five = ["train", "--quiet", "--hidden", "5", "--epochs", "5"];
    place.well(&[&five[..], &constant, &["--out", "s"]].concat());
    for file in ["model.safetensors", "config.toml"] {
        let (a, b) = (format!("r/{file}"), format!("s/{file}"));
        assert!(place.bytes(&a) == place.bytes(&b), "{file}");
    }
    let metrics = String::from_utf8(place.bytes("r/metrics.jsonl")).unwrap();
    assert_eq!(metrics.lines().count(), 5);
}
