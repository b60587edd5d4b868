//! `elman doctor`, `unroll` and `lesson` as a person meets them.

mod command;

use command::{Place, SHORT, prose, wave};
use serde_json::Value;

/// A place with a run of a table, and of a text.
fn place() -> Place {
    let place = Place::new();
    place.write("load.csv", wave(200));
    place.write("sea.txt", prose(300));
    let series = ["train", "load.csv", "--target", "load", "--out", "series"];
    place.well(&[&series[..], &SHORT].concat());
    place.well(&[&["train", "sea.txt", "--out", "text"], &SHORT[..]].concat());
    place
}

#[test]
fn a_verdict_with_evidence_and_pictures() {
    let place = place();
    for run in ["series", "text"] {
        let said = place.well(&["doctor", run, "--html", "flow.html"]).out;
        assert!(
            said.contains("Gradient by lag") && said.contains("1 % after"),
            "{said}"
        );
        let page = String::from_utf8(place.bytes("flow.html")).unwrap();
        for part in [
            "Gradient by lag",
            "Lyapunov",
            "unit circle",
            "Contribution of each time step",
        ] {
            assert!(page.contains(part), "{run}: no {part}");
        }
        let json = place
            .well(&["doctor", run, "--json", "--max-lag", "20"])
            .out;
        let json: Value = serde_json::from_str(&json).unwrap();
        assert!(json["verdict"]["cause"].is_string());
        let shares = json["flow"]["lag"]["credit"]["share"].as_array().unwrap();
        assert_eq!(shares.len(), 21);
    }
    // Another file of the same kind.
    place.write("other.csv", wave(90));
    place.well(&["doctor", "series", "--data", "other.csv"]);
}

#[test]
fn a_gate() {
    let place = place();
    let gate = [
        "doctor",
        "series",
        "--require",
        "horizon>=1",
        "--require",
        "beta<2",
    ];
    assert!(place.well(&gate).out.contains("holds"));
    let ended = place.elman(&["doctor", "series", "--require", "horizon>=100000"]);
    assert_eq!(ended.code, 1);
    assert!(ended.err.contains("horizon>=100000"), "{}", ended.err);
}

#[test]
fn the_unrolled_network() {
    let place = place();
    let said = place
        .well(&["unroll", "series", "--svg", "u.svg", "--steps", "60"])
        .out;
    assert!(
        said.contains("36 more") && said.contains("mean φ′"),
        "{said}"
    );
    let drawing = String::from_utf8(place.bytes("u.svg")).unwrap();
    assert!(drawing.starts_with("<svg") && drawing.contains("W_hh"));
    place.write("new.txt", "the sea sees a ship\n");
    let said = place
        .well(&["unroll", "text", "--row", "new.txt", "--json"])
        .out;
    let said: Value = serde_json::from_str(&said).unwrap();
    assert!(said["steps"].as_array().unwrap().len() >= 10);
}

#[test]
fn the_lesson() {
    let place = place();
    let said = place.well(&["lesson"]).out;
    assert!(
        said.contains("Example 1") && said.contains("0.197375"),
        "{said}"
    );
    assert!(
        place
            .well(&["lesson", "--run", "series"])
            .out
            .contains("on this run")
    );
    let json: Value = serde_json::from_str(&place.well(&["lesson", "--json"]).out).unwrap();
    assert!(json.as_array().unwrap().len() >= 7);
}

#[test]
fn wrong_requests() {
    let place = place();
    let words: String = (0..60).map(|n| format!("a{n}\tb{n}\n")).collect();
    place.write("w.tsv", words);
    place.well(
        &[
            &["train", "w.tsv", "--task", "seq2seq", "--out", "pairs"],
            &SHORT[..],
        ]
        .concat(),
    );
    place.badly(
        2,
        &["doctor", "series", "--require", "horizn>=5"],
        &["horizn", "horizon"],
    );
    place.badly(2, &["doctor", "series", "--bias", "2"], &["--bias"]);
    place.badly(
        2,
        &["doctor", "pairs"],
        &["encoder", "one recurrent network"],
    );
    place.badly(1, &["doctor", "nothing"], &["nothing"]);
    place.badly(1, &["unroll", "series", "--row", "none.csv"], &["none.csv"]);
    place.badly(1, &["doctor", "text", "--data", "none.txt"], &["none.txt"]);
}

#[test]
fn training_records_how_far_the_gradient_reaches() {
    let place = Place::new();
    place.write("load.csv", wave(200));
    let train = |flow: &str| {
        let options = ["train", "load.csv", "--target", "load", "--out", flow];
        place.well(&[&options[..], &SHORT, &["--flow", flow]].concat());
        let metrics = place.bytes(&format!("{flow}/metrics.jsonl"));
        let lines = String::from_utf8(metrics).unwrap();
        let epochs = lines.lines().map(|l| serde_json::from_str(l).unwrap());
        epochs.collect::<Vec<Value>>()
    };
    let epochs = train("on");
    assert_eq!(epochs.len(), 3);
    for epoch in &epochs {
        let flow = &epoch["flow"];
        let lags = flow["ln_mean"].as_array().unwrap();
        assert!(lags.len() > 10 && flow["beta"].as_f64().unwrap() > 0.0);
        assert!(epoch["clipped"].is_number());
    }
    // Epochs so short that one look is more than a twentieth of them: not every one is looked at.
    let measured = |epochs: Vec<Value>| epochs.iter().filter(|e| e["flow"].is_object()).count();
    let auto = measured(train("auto"));
    assert!(0 < auto && auto < 3, "{auto}");
    assert_eq!(measured(train("off")), 0);
    // To look is not to touch.
    for run in ["auto", "off"] {
        let loss = |run: &str| {
            let lines = String::from_utf8(place.bytes(&format!("{run}/metrics.jsonl"))).unwrap();
            let last: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
            last["train_loss"].as_f64().unwrap()
        };
        assert_eq!(loss(run), loss("on"));
    }
    let page = String::from_utf8(place.bytes("on/report.html")).unwrap();
    assert!(page.contains("horizon (1 %)"));
    let page = String::from_utf8(place.bytes("off/report.html")).unwrap();
    assert!(!page.contains("horizon (1 %)"));
}

#[test]
fn what_is_about_to_break_is_told_before_it_does() {
    let place = Place::new();
    place.write("load.csv", wave(400));
    let options = "train load.csv --target load --out sick --cell elman-linear --gain 1.09 --clip 0 --sequence 150 \
                   --hidden 8 --epochs 30 --threads 1 --optimiser sgd --learning-rate 1e-6 --flow off";
    let ended = place.elman(&options.split_whitespace().collect::<Vec<_>>());
    let (warned, broke) = (ended.err.find("warning: epoch 1"), ended.err.find("became"));
    assert!(warned.is_some(), "{}", ended.err);
    assert!(ended.err.contains("of layer 0") && ended.err.contains("step"));
    assert!(ended.err.contains("--gain"), "{}", ended.err);
    // And it does break, later.
    assert!(warned < broke, "{}", ended.err);
}

#[test]
fn the_window_is_picked_and_told() {
    let place = Place::new();
    place.write("load.csv", wave(400));
    let train = |out: &str, options: &str| {
        let all = format!(
            "train load.csv --target load --out {out} --sequence 100 --hidden 8 --epochs 3 --threads 1 {options}"
        );
        place.well(&all.split_whitespace().collect::<Vec<_>>());
        let lines = String::from_utf8(place.bytes(&format!("{out}/metrics.jsonl"))).unwrap();
        let epochs = lines
            .lines()
            .map(|l| serde_json::from_str::<Value>(l).unwrap());
        let windows = epochs.map(|e| e["window"].as_u64());
        windows.collect::<Vec<_>>()
    };
    let windows = train("auto", "--window auto --gain 0.5");
    let first = windows[0].unwrap();
    assert_eq!(windows.len(), 3);
    assert!(
        windows.iter().all(|w| w.is_some()) && first < 100,
        "{windows:?}"
    );
    let config = String::from_utf8(place.bytes("auto/config.toml")).unwrap();
    assert!(config.contains("window = \"auto\""), "{config}");
    // A smaller bias needs a longer window.
    let strict = train("strict", "--window auto --gain 0.5 --window-bias 0.001");
    assert!(strict[0].unwrap() > first, "{strict:?} {windows:?}");
    let fixed = train("fixed", "--window 20");
    place.write("soon.toml", "window = \"soon\"\n");
    assert_eq!(fixed, [None; 3]);
    for (options, word) in [
        (
            "--config soon.toml",
            "soon.toml, line 1: the window must be a number of steps or auto",
        ),
        ("--window 20 --window-bias 0.1", "window-bias"),
        ("--window auto --window-bias 0", "window-bias"),
        ("--window auto --window-bias nan", "window-bias"),
    ] {
        let all = format!("train load.csv --target load --out no {options}");
        place.badly(2, &all.split_whitespace().collect::<Vec<_>>(), &[word]);
    }
}
