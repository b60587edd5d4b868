//! Wrong input of any kind: one clear line, the right exit code, nothing half-written.

mod command;

use command::{Place, SHORT, prose, wave};

fn train<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["train"], more, &SHORT].concat()
}

/// A place with a table and a finished run of it, and of a text.
fn with_runs() -> Place {
    let place = Place::new();
    place.write("load.csv", wave(120));
    place.write("sea.txt", prose(200));
    place.well(&train(&[
        "load.csv",
        "--target",
        "load",
        "--out",
        "series",
        "--sequence",
        "20",
    ]));
    place.well(&train(&["sea.txt", "--out", "text"]));
    place
}

#[test]
fn tables() {
    let place = Place::new();
    let mut odd = wave(80);
    let cases: [(&str, Vec<u8>, &[&str]); 10] = [
        ("empty.csv", vec![], &["empty.csv", "empty"]),
        (
            "binary.csv",
            b"a,b\n1,\xff\xfe\n".to_vec(),
            &["binary.csv", "UTF-8"],
        ),
        (
            "ragged.csv",
            b"a,b\n1,2\n3\n4,5\n".to_vec(),
            &["ragged.csv", "line 3"],
        ),
        (
            "flat.csv",
            format!("v\n{}", "7\n".repeat(90)).into_bytes(),
            &["flat.csv", "v"],
        ),
        (
            "short.csv",
            b"v\n1\n2\n3\n4\n5\n6\n7\n".to_vec(),
            &["sequence"],
        ),
        (
            "missing.csv",
            odd.replace("\n40,", "\n40,,1\n").into_bytes(),
            &["missing.csv", "line"],
        ),
        (
            "nan.csv",
            {
                odd = wave(80);
                odd.push_str("80,nan,1\n");
                odd.clone().into_bytes()
            },
            &["nan.csv", "line 82"],
        ),
        (
            "infinite.csv",
            {
                odd = wave(80);
                odd.push_str("80,inf,1\n");
                odd.clone().into_bytes()
            },
            &["infinite.csv", "line 82"],
        ),
        (
            "words.csv",
            b"v\nnorth\nsouth\neast\n".to_vec(),
            &["words.csv"],
        ),
        ("header.csv", b"a,b\n".to_vec(), &["header.csv"]),
    ];
    for (name, bytes, words) in cases {
        place.write(name, bytes);
        let ended = place.elman(&train(&[name]));
        let code = ended.code;
        assert!(code == 1 || code == 2, "{name}: {code} {}", ended.err);
        let more: &[&str] = if ["missing.csv", "nan.csv", "infinite.csv"].contains(&name) {
            &["--target", "load"]
        } else {
            &[]
        };
        let arguments = train(&[&[name], more].concat());
        let code = place.elman(&arguments).code;
        place.badly(code, &arguments, words);
        assert!(!place.path("runs").exists(), "{name}: a folder was made");
    }
    place.write("load.csv", wave(120));
    place.badly(
        1,
        &train(&["load.csv", "--target", "laod"]),
        &["laod", "load"],
    );
    place.badly(2, &train(&["load.csv"]), &["--target", "load, heat"]);
    place.badly(2, &train(&["nowhere.csv.gz"]), &["nowhere.csv.gz"]);
    place.badly(1, &train(&["nowhere.csv"]), &["nowhere.csv"]);
    // What is refused can be allowed.
    place.well(&train(&[
        "nan.csv",
        "--target",
        "load",
        "--missing",
        "interpolate",
        "--sequence",
        "20",
    ]));
    place.well(&train(&[
        "nan.csv",
        "--target",
        "load",
        "--missing",
        "drop",
        "--sequence",
        "20",
    ]));
}

#[test]
fn options() {
    let place = Place::new();
    place.write("sea.txt", prose(100));
    for (flags, word) in [
        (["--cell", "transformer"], "elman, elman-relu"),
        (["--task", "chess"], "forecast and text"),
        (["--hidden", "0"], "hidden"),
        (["--hidden", "99999999"], "hidden"),
        (["--learning-rate", "nan"], "learning-rate"),
        (["--learning-rate", "0"], "learning-rate"),
        (["--clip", "-1"], "clip"),
        (["--gain", "inf"], "gain"),
        (["--memory", "5"], "memory"),
        (["--memory", "9,2"], "memory"),
        (["--minutes", "0"], "minutes"),
    ] {
        let flag = format!("{}={}", flags[0], flags[1]);
        place.badly(2, &["train", "--quiet", &flag], &[word]);
    }
    place.badly(
        2,
        &["train", "--quiet", "--window", "4", "--stride", "9"],
        &["stride"],
    );
    for wrong in [
        ["--loss", "hinge"],
        ["--hidden", "many"],
        ["--schedule", "x"],
        ["--no-such", "1"],
    ] {
        assert_eq!(place.elman(&["train", wrong[0], wrong[1]]).code, 2);
    }
    place.write("c.toml", "hidden = 4\nhiden = 5\n");
    place.badly(
        2,
        &["train", "--config", "c.toml"],
        &["c.toml, line 2", "hiden"],
    );
    place.write("d.toml", "hidden = \"many\"\n");
    place.badly(2, &["train", "--config", "d.toml"], &["d.toml, line 1"]);
    place.badly(2, &["train", "--config", "e.toml"], &["e.toml"]);
    assert!(!place.path("runs").exists());
}

#[test]
fn texts() {
    let place = Place::new();
    place.write("empty.txt", "");
    place.badly(1, &train(&["empty.txt"]), &["empty.txt", "empty"]);
    place.write("bytes.txt", b"fine\nthen \xff not\n");
    place.badly(1, &train(&["bytes.txt"]), &["bytes.txt", "UTF-8"]);
    place.write("short.txt", "too short");
    place.badly(1, &train(&["short.txt"]), &["split"]);
    std::fs::create_dir(place.path("none")).unwrap();
    place.badly(1, &train(&["none"]), &["none", ".txt"]);
}

#[test]
fn runs_that_are_not() {
    let place = with_runs();
    place.badly(1, &["info", "nowhere"], &["nowhere", "no such folder"]);
    std::fs::create_dir(place.path("bare")).unwrap();
    for command in ["info", "evaluate", "predict", "generate"] {
        place.badly(1, &[command, "bare"], &["bare", "not a run"]);
    }
    place.badly(1, &["train", "--resume", "bare"], &["bare", "not a run"]);
    place.badly(
        1,
        &train(&["load.csv", "--target", "load", "--out", "series"]),
        &["series", "--resume"],
    );
    place.badly(
        2,
        &["train", "--resume", "series", "--hidden", "9"],
        &["--resume"],
    );
    place.badly(2, &["generate", "series"], &["predict"]);
    place.badly(2, &["predict", "text"], &["generate"]);
    place.badly(
        2,
        &["generate", "text", "--temperature=-1"],
        &["temperature"],
    );
    place.write("other.csv", "a,b\n1,2\n3,4\n");
    place.badly(1, &["predict", "series", "--data", "other.csv"], &["load"]);
    place.write("file", "x");
    place.badly(
        1,
        &train(&["load.csv", "--target", "load", "--out", "file/below"]),
        &["file/below"],
    );
}

#[test]
fn damaged_files() {
    let place = with_runs();
    for (file, command) in [
        ("series/model.safetensors", vec!["info", "series"]),
        (
            "series/checkpoint.safetensors",
            vec!["train", "--resume", "series", "--epochs", "4"],
        ),
    ] {
        let whole = place.bytes(file);
        let n = whole.len();
        for cut in [0, 1, 7, 8, 9, 100, n / 2, n - 1] {
            place.write(file, &whole[..cut]);
            place.badly(1, &command, &[file]);
        }
        for at in (0..n).step_by(n / 23 + 1) {
            let mut flipped = whole.clone();
            flipped[at] ^= 0x40;
            place.write(file, &flipped);
            place.badly(1, &command, &[file]);
        }
        place.write(file, &whole);
    }
    let model = "series/model.safetensors";
    let text = String::from_utf8_lossy(&place.bytes(model)).into_owned();
    assert!(text.contains("elman.format"));
    place.well(&["info", "series"]);
}

#[test]
fn a_loss_that_is_no_number_stops_the_run_and_keeps_the_weights() {
    let place = Place::new();
    place.write("load.csv", wave(200));
    let wild = [
        "--cell",
        "elman-relu",
        "--clip",
        "0",
        "--optimiser",
        "sgd",
        "--learning-rate",
        "100",
        "--gain",
        "9",
    ];
    let arguments = [
        &[
            "train", "load.csv", "--target", "load", "--out", "r", "--quiet", "--scale", "none",
        ],
        &wild[..],
    ]
    .concat();
    place.badly(1, &arguments, &["r keeps", "epoch", "step", "--clip 1"]);
    place.well(&["info", "r"]);
}

#[test]
fn a_full_disk() {
    // A limit on the size of files stands for a disk that is full: writing fails half-way.
    let place = Place::new();
    let shell = format!(
        "ulimit -f 1; trap '' XFSZ; exec {} train --quiet --hidden 64 --out r",
        env!("CARGO_BIN_EXE_elman")
    );
    let ended = std::process::Command::new("sh")
        .args(["-c", &shell])
        .current_dir(place.folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{text}");
    assert!(
        text.starts_with("elman: ") && text.lines().count() == 1 && text.contains("space"),
        "{text}"
    );
    assert!(!place.leftovers());
}
