//! The output modes as a person meets them: train, evaluate, predict on new files, go on after a stop; and wrong input.

mod command;

use command::Place;
use serde_json::Value;

const FEW: [&str; 8] = [
    "--hidden",
    "8",
    "--epochs",
    "3",
    "--threads",
    "1",
    "--quiet",
    "--json",
];

fn train(place: &Place, more: &[&str]) -> Value {
    let ended = place.well(&[&["train"], more, &FEW].concat());
    serde_json::from_str(&ended.out).unwrap()
}

/// Sequences of two channels and unequal lengths; class `up` where they rise, `down` where they fall.
fn waves(count: usize) -> String {
    let mut text = String::from("sequence,step,a,b,way,height,rising\n");
    for s in 0..count {
        let slope = if s % 2 == 0 { 0.3 } else { -0.3 };
        for t in 0..5 + s % 4 {
            let a = slope * t as f64 + (s as f64).sin();
            let way = if s % 2 == 0 { "up" } else { "down" };
            let half = if t < 3 { "early" } else { "late" };
            text.push_str(&format!(
                "s{s},{t},{a:.3},{:.3},{way},{:.2},{half}\n",
                (t as f64).cos(),
                slope * 10.0
            ));
        }
    }
    text
}

const LONG: [&str; 4] = ["--id", "sequence", "--order", "step"];

#[test]
fn classes_of_sequences() {
    let place = Place::new();
    place.write("w.csv", waves(200));
    let more = [
        "w.csv",
        "--task",
        "classify",
        "--label",
        "way",
        "--features",
        "a,b",
        "--out",
        "r",
    ];
    let more = [&more[..], &LONG, &["--epochs", "40"]].concat();
    let ended = place.well(&[&["train"], &more[..], &FEW[..2], &FEW[4..]].concat());
    let document: Value = serde_json::from_str(&ended.out).unwrap();
    let parts = document["evaluation"]["parts"].as_array().unwrap();
    let test = parts.iter().find(|p| p["part"] == "test").unwrap();
    assert!(test["accuracy"].as_f64().unwrap() > 0.9, "{test}");
    let all: u64 = test["confusion"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|row| row.as_array().unwrap())
        .map(|n| n.as_u64().unwrap())
        .sum();
    assert_eq!(all, test["count"].as_u64().unwrap());
    // New sequences, without the label's column.
    let new: String = waves(4)
        .lines()
        .map(|l| l.split(',').take(4).collect::<Vec<_>>().join(",") + "\n")
        .collect();
    place.write("new.csv", new);
    let said = place.well(&["predict", "r", "--data", "new.csv"]).out;
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], "id,class,p(down),p(up)");
    assert!(
        lines.len() == 5 && lines[1].starts_with("s0,up,0.") && lines[2].starts_with("s1,down,")
    );
    let scores = place
        .well(&["evaluate", "r", "--data", "w.csv", "--json"])
        .out;
    let scores: Value = serde_json::from_str(&scores).unwrap();
    assert_eq!(scores["parts"][0]["count"], 200);
    let page = String::from_utf8(place.bytes("r/report.html")).unwrap();
    assert!(page.contains("tells the classes apart") && page.contains("Macro-F1"));
}

#[test]
fn numbers_and_labels_of_every_step() {
    let place = Place::new();
    place.write("w.csv", waves(40));
    let more = [
        "w.csv",
        "--features",
        "a,b",
        "--out",
        "n",
        "--task",
        "regress",
        "--label",
        "height",
    ];
    let document = train(&place, &[&more[..], &LONG].concat());
    assert!(document["evaluation"]["parts"][0]["rmse"].as_f64().unwrap() > 0.0);
    let said = place
        .well(&["predict", "n", "--data", "w.csv", "--json"])
        .out;
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said.as_array().unwrap().len(), 40);
    assert!(said[0]["value"].is_number() && said[0].get("step").is_none());

    let more = [
        "w.csv",
        "--features",
        "a,b",
        "--out",
        "l",
        "--task",
        "label",
        "--label",
        "rising",
        "--bidirectional",
    ];
    train(&place, &[&more[..], &LONG].concat());
    let said = place.well(&["predict", "l", "--data", "w.csv"]).out;
    assert!(
        said.starts_with("id,step,class,p(early),p(late)\ns0,1,"),
        "{said}"
    );
    let steps: usize = (0..40).map(|s| 5 + s % 4).sum();
    assert_eq!(said.lines().count(), 1 + steps);
}

/// Words and the same words backwards, spelled with spaces.
fn words(count: usize) -> String {
    let letters = ["a", "b", "c", "d"];
    let word = |mut n: usize| {
        let mut all = Vec::new();
        while n > 0 {
            all.push(letters[n % 4]);
            n /= 4;
        }
        all
    };
    (1..=count)
        .map(|n| {
            let source = word(n);
            let target: Vec<&str> = source.iter().rev().copied().collect();
            format!("{}\t{}\n", source.concat(), target.join(" ").to_uppercase())
        })
        .collect()
}

#[test]
fn sequences_to_sequences() {
    let place = Place::new();
    place.write("w.tsv", words(300));
    let more = [
        "w.tsv",
        "--task",
        "seq2seq",
        "--target-symbols",
        "words",
        "--own-words",
        "0.2",
        "--dropout",
        "0.1",
        "--state-dropout",
        "0.1",
    ];
    let document = train(&place, &[&more[..], &["--out", "r"]].concat());
    let parts = document["evaluation"]["parts"].as_array().unwrap();
    for part in parts {
        let rate = part["word_error_rate"].as_f64().unwrap();
        assert!((rate + part["exact"].as_f64().unwrap() - 1.0).abs() < 1e-12);
    }
    place.write("new.txt", "abc\nzzz\n");
    let said = place
        .well(&["predict", "r", "--data", "new.txt", "--beam", "3"])
        .out;
    let lines: Vec<Vec<&str>> = said.lines().map(|l| l.split('\t').collect()).collect();
    assert_eq!((lines.len(), lines[0][0], lines[1][0]), (2, "abc", "zzz"));
    assert!(lines[0][2].parse::<f64>().unwrap() <= 1.0);
    // Threads change no bit.
    let two = [&more[..], &["--out", "two", "--threads", "2"]].concat();
    place.well(&[&["train"], &two[..], &FEW[..4], &FEW[6..]].concat());
    assert_eq!(
        place.bytes("r/model.safetensors"),
        place.bytes("two/model.safetensors")
    );
    let page = String::from_utf8(place.bytes("r/report.html")).unwrap();
    assert!(page.contains("Sequence to sequence") && page.contains("Symbol error rate"));
    place.well(&["info", "r"]);
    place.well(&["evaluate", "r", "--data", "w.tsv"]);
}

#[test]
fn vectors_to_sequences() {
    let place = Place::new();
    let mut text = String::from("x,y,z,name\n");
    for i in 0..80 {
        let n = i % 4;
        let name = ["one", "two", "three", "four"][n];
        let x = n as f64 + (i as f64).sin() * 0.1;
        text.push_str(&format!("{x:.3},{:.3},1,{name}\n", (n as f64).cos()));
    }
    place.write("v.csv", text);
    let more = [
        "v.csv",
        "--task",
        "caption",
        "--label",
        "name",
        "--channels",
        "3",
        "--out",
        "r",
    ];
    train(&place, &more);
    place.write("new.csv", "x,y,z\n0.1,1.0,1\n");
    let said = place.well(&["predict", "r", "--data", "new.csv"]).out;
    assert_eq!(said.lines().count(), 1);
}

#[test]
fn a_stopped_run_of_pairs_goes_on_to_the_same_bits() {
    let place = Place::new();
    place.write("w.tsv", words(200));
    let more = [
        "w.tsv",
        "--task",
        "seq2seq",
        "--schedule",
        "constant",
        "--own-words",
        "0",
    ];
    train(&place, &[&more[..], &["--out", "whole"]].concat());
    let one = [
        "--hidden",
        "8",
        "--epochs",
        "1",
        "--threads",
        "1",
        "--quiet",
    ];
    place.well(&[&["train"], &more[..], &["--out", "part"], &one].concat());
    place.well(&[
        "train",
        "--resume",
        "part",
        "--epochs",
        "3",
        "--threads",
        "1",
        "--quiet",
    ]);
    let numbers = |run: &str| {
        let bytes = place.bytes(&format!("{run}/model.safetensors"));
        let all = elman::io::Tensors::from_bytes(run, &bytes).unwrap();
        all.tensors
    };
    assert_eq!(numbers("whole"), numbers("part"));
}

#[test]
fn wrong_sequences_and_pairs() {
    let place = Place::new();
    let good = waves(12);
    let with = |line: &str| format!("{good}{line}\n");
    place.write("back.csv", with("s0,9,1,1,up,3,late"));
    place.write("label.csv", with("s12,0,1,1,,3,late"));
    place.write("number.csv", with("s12,0,1,1,up,tall,late"));
    place.write(
        "order.csv",
        with("s12,1,1,1,up,3,late\ns12,0,1,1,up,3,late"),
    );
    place.write(
        "changes.csv",
        with("s12,0,1,1,up,3,late\ns12,1,1,1,down,3,late"),
    );
    place.write("good.csv", &good);
    place.write("other.csv", good.replace("up", "sideways"));
    place.write("narrow.jsonl", "{\"x\":[[1,2],[3]],\"y\":\"a\"}\n");
    place.write(
        "unequal.jsonl",
        "{\"x\":[[1,2]],\"y\":\"a\"}\n{\"x\":[[1]],\"y\":\"b\"}\n",
    );
    place.write("same.jsonl", "{\"x\":[1,2],\"y\":\"a\"}\n".repeat(9));
    place.write("notab.tsv", "a\tb\nab\n");
    place.write("tabs.tsv", "a\tb\nc\td\te\n");
    let way = [
        "--task",
        "classify",
        "--label",
        "way",
        "--features",
        "a,b",
        "--out",
        "r",
    ];
    let way = [&way[..], &LONG].concat();
    let height = [
        "--task",
        "regress",
        "--label",
        "height",
        "--features",
        "a,b",
        "--out",
        "r",
    ];
    let height = [&height[..], &LONG].concat();
    let pairs = ["--task", "seq2seq", "--out", "r"];
    let classify = ["--task", "classify", "--out", "r"];
    let unlike = [&way[..], &["--test-data", "other.csv"]].concat();
    let cases: [(&str, &[&str], i32, &[&str]); 16] = [
        ("back.csv", &way, 1, &["back.csv: line", "s0"]),
        ("label.csv", &way, 1, &["label.csv: line", "label"]),
        ("number.csv", &height, 1, &["number.csv: line", "tall"]),
        ("order.csv", &way, 1, &["order.csv: line"]),
        ("changes.csv", &way, 1, &["changes.csv: line"]),
        (
            "good.csv",
            &unlike,
            1,
            &["other.csv: line", "sideways", "down"],
        ),
        (
            "good.csv",
            &["--task", "classify", "--out", "r"],
            2,
            &["--label"],
        ),
        (
            "good.csv",
            &["--task", "label", "--label", "way", "--out", "r"],
            2,
            &["--id"],
        ),
        (
            "good.csv",
            &["--task", "dance", "--out", "r"],
            2,
            &["dance", "seq2seq"],
        ),
        ("narrow.jsonl", &classify, 1, &["narrow.jsonl: line 1"]),
        ("unequal.jsonl", &classify, 1, &["unequal.jsonl: line 2"]),
        ("same.jsonl", &classify, 2, &["same.jsonl", "same label"]),
        ("notab.tsv", &pairs, 1, &["notab.tsv: line 2", "no tab"]),
        (
            "tabs.tsv",
            &pairs,
            1,
            &["tabs.tsv: line 2", "more than one tab"],
        ),
        (
            "notab.tsv",
            &["--task", "seq2seq", "--window", "3", "--out", "r"],
            2,
            &["--window"],
        ),
        (
            "good.csv",
            &[
                "--task",
                "forecast",
                "--target",
                "a",
                "--bidirectional",
                "--out",
                "r",
            ],
            2,
            &["--bidirectional"],
        ),
    ];
    for (file, more, code, words) in cases {
        place.badly(code, &[&["train", file], more].concat(), words);
        assert!(!place.path("r").exists(), "{file} {more:?} made a folder");
    }
    // A trained model, and files that are not for it.
    train(&place, &[&["good.csv"], &way[..]].concat());
    place.write(
        "wide.csv",
        good.replace("sequence,step,a,b", "sequence,step,a,c"),
    );
    place.badly(
        1,
        &["predict", "r", "--data", "wide.csv"],
        &["wide.csv", "\"b\""],
    );
    place.badly(
        1,
        &["evaluate", "r", "--data", "other.csv"],
        &["other.csv: line", "sideways"],
    );
    place.badly(
        1,
        &["predict", "r", "--data", "none.csv"],
        &["none.csv", "no such file"],
    );
    place.badly(2, &["generate", "r"], &["task classify"]);
}
