//! Wrong input of any kind: one clear line, the right exit code, nothing half-written.

mod command;

use command::{Place, SHORT, prose, wave};
use elman::io::Tensors;

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

/// That nothing was made but the files that the test wrote.
fn untouched(place: &Place, arguments: &[&str]) {
    for name in ["runs", "r"] {
        assert!(!place.path(name).exists(), "{arguments:?} made {name}");
    }
}

#[test]
fn tables() {
    let place = Place::new();
    let with = |line: &str| format!("{}{line}\n", wave(80)).into_bytes();
    let cases: [(&str, Vec<u8>, i32, &[&str]); 19] = [
        ("empty", vec![], 1, &["empty"]),
        ("blank", b"\n\n\n".to_vec(), 1, &["empty"]),
        (
            "latin",
            b"load\n1\n2\nM\xfcnchen\n".to_vec(),
            1,
            &["line 4", "UTF-8"],
        ),
        (
            "ragged",
            b"a,load\n1,2\n3\n4,5\n".to_vec(),
            1,
            &["line 3", "1 field"],
        ),
        ("wide", with("80,1,2,3"), 1, &["line 82", "4 fields"]),
        (
            "flat",
            format!("load\n{}", "7\n".repeat(90)).into(),
            1,
            &["\"load\"", "every row"],
        ),
        (
            "short",
            b"load\n1\n2\n3\n4\n5\n6\n7\n".to_vec(),
            2,
            &["training part", "--burn-in"],
        ),
        ("one", b"load\n1\n".to_vec(), 1, &["part has no rows"]),
        (
            "gap",
            with("80,,1"),
            1,
            &["line 82", "--missing interpolate"],
        ),
        (
            "na",
            with("80,NA,1"),
            1,
            &["line 82", "\"NA\"", "--missing drop"],
        ),
        (
            "nan",
            with("80,nan,1"),
            1,
            &["line 82", "\"nan\"", "--missing interpolate"],
        ),
        (
            "inf",
            with("80,inf,1"),
            1,
            &["line 82", "not a finite number"],
        ),
        (
            "minus",
            with("80,-Infinity,1"),
            1,
            &["line 82", "not a finite number"],
        ),
        (
            "huge",
            with("80,1e999,1"),
            1,
            &["line 82", "not a finite number"],
        ),
        (
            "words",
            b"load\nnorth\nsouth\neast\n".to_vec(),
            1,
            &["line 2", "\"north\""],
        ),
        ("word", with("80,n/x,1"), 1, &["line 82", "\"n/x\""]),
        ("header", b"a,load\n".to_vec(), 1, &["line 1", "no row"]),
        (
            "twice",
            b"load,load\n1,2\n3,4\n".to_vec(),
            1,
            &["both named"],
        ),
        ("quote", with("80,\"1,2"), 1, &["line 82", "quoted field"]),
    ];
    for (name, bytes, code, words) in cases {
        let file = place.write(&format!("{name}.csv"), bytes);
        let arguments = train(&[&file, "--target", "load"]);
        place.badly(code, &arguments, words);
        let said = place.elman(&arguments).err;
        assert!(
            code == 2 || said.contains(&file) || said.contains("part"),
            "{said}"
        );
        untouched(&place, &arguments);
    }
    // What is refused can be allowed, and a line may be quoted.
    for file in ["gap.csv", "na.csv", "nan.csv"] {
        for how in ["interpolate", "drop"] {
            let more = ["--missing", how, "--sequence", "20", "--json"];
            place.well(&train(&[&[file, "--target", "load"], &more[..]].concat()));
        }
    }
}

#[test]
fn columns_and_files() {
    let place = Place::new();
    place.write("load.csv", wave(120));
    place.write("words.csv", "a,b\nx,1\ny,2\nz,3\n");
    place.write("odd\nname.csv", "");
    std::fs::create_dir(place.path("folder.csv")).unwrap();
    let cases: [(i32, &[&str], &[&str]); 10] = [
        (
            1,
            &["load.csv", "--target", "laod"],
            &["load.csv", "\"laod\"", "\"load\""],
        ),
        (
            1,
            &["load.csv", "--target", "load", "--features", "cold"],
            &["\"cold\""],
        ),
        (2, &["load.csv"], &["--target", "load, heat"]),
        (
            1,
            &["words.csv", "--target", "a"],
            &["words.csv", "line 2", "\"x\""],
        ),
        (1, &["nowhere.csv"], &["nowhere.csv", "no such file"]),
        (1, &["nowhere.csv.gz"], &["nowhere.csv.gz", "no such file"]),
        (1, &["nowhere.txt"], &["nowhere.txt", "no such file"]),
        (
            1,
            &["folder.csv", "--task", "forecast"],
            &["folder.csv", "cannot be read"],
        ),
        (1, &["odd\nname.csv"], &["odd", "empty"]),
        (
            2,
            &[
                "load.csv",
                "--target",
                "load",
                "--validation",
                "0.6",
                "--test",
                "0.6",
            ],
            &["0.6"],
        ),
    ];
    for (code, more, words) in cases {
        let arguments = train(more);
        place.badly(code, &arguments, words);
        untouched(&place, &arguments);
    }
}

#[test]
fn options() {
    let place = Place::new();
    place.write("sea.txt", prose(100));
    for (flags, word) in [
        (["--cell", "transformer"], "elman, elman-relu"),
        (["--task", "chess"], "forecast, text, classify"),
        (["--hidden", "0"], "hidden"),
        (["--hidden", "99999999"], "hidden"),
        (["--learning-rate", "nan"], "learning-rate"),
        (["--learning-rate", "0"], "learning-rate"),
        (["--clip", "-1"], "clip"),
        (["--gain", "inf"], "gain"),
        (["--memory", "5"], "memory"),
        (["--memory", "9,2"], "memory"),
        (["--minutes", "0"], "minutes"),
        (["--minutes", "1e300"], "minutes"),
        (["--minutes", "nan"], "minutes"),
        (["--hidden", "65536"], "recurrent weights"),
        (["--layers", "65"], "layers"),
        (["--epochs", "18446744073709551615"], "epochs"),
        (["--epochs", "0"], "epochs"),
        (["--patience", "18446744073709551615"], "patience"),
        (["--hop", "18446744073709551615"], "hop"),
        (["--sequence", "18446744073709551615"], "sequence"),
        (["--window", "18446744073709551615"], "window"),
        (["--burn-in", "18446744073709551615"], "burn-in"),
        (["--burn-in", "500"], "--burn-in"),
        (["--batch", "18446744073709551615"], "batch"),
        (["--seed", "18446744073709551615"], "seed"),
        (["--momentum", "-0.1"], "momentum"),
        (["--weight-decay", "-1"], "weight-decay"),
        (["--validation", "-0.1"], "validation"),
        (["--test", "nan"], "test"),
        (["--warm-up", "2"], "warm-up"),
        (["--clip-value", "-inf"], "clip-value"),
        (["--learning-rate", "-1"], "learning-rate"),
        (["--loss", "cross-entropy"], "mse or huber"),
        (["--loss", "binary-cross-entropy"], "mse or huber"),
        (["--target", "moon"], "moon"),
    ] {
        let flag = format!("{}={}", flags[0], flags[1]);
        let code = if flags[0] == "--target" { 1 } else { 2 };
        place.badly(code, &["train", "--quiet", &flag], &[word]);
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
        ["--optimiser", "lion"],
        ["--missing", "guess"],
        ["--scale", "big"],
        ["--init", "zero"],
        ["--hidden", "-3"],
        ["--epochs", "1.5"],
        ["--seed", "-1"],
        ["--threads", "some"],
        ["--no-such", "1"],
    ] {
        let ended = place.elman(&["train", wrong[0], wrong[1]]);
        assert_eq!(ended.code, 2);
        assert!(!ended.err.contains("panicked"), "{}", ended.err);
    }
    let more: [&[&str]; 11] = [
        &["predict", "r", "--steps", "0"],
        &["generate", "r", "--length", "99999999999"],
        &["gradcheck", "--cell", "transformer"],
        &["gradcheck", "--hidden", "18446744073709551615"],
        &["gradcheck", "--hidden", "0"],
        &["gradcheck", "--steps", "0"],
        &["bench", "--cell", "transformer"],
        &["bench", "--suite", "T9"],
        &["bench", "--seconds", "nan"],
        &["train", "--resume", "r", "--config", "c.toml"],
        &["fly"],
    ];
    for arguments in more {
        let ended = place.elman(arguments);
        assert_eq!(ended.code, 2, "{arguments:?}: {}", ended.err);
        assert!(!ended.err.contains("panicked"), "{}", ended.err);
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
    place.badly(2, &["train", "--config", "."], &["cannot be read"]);
    place.write("f.toml", "hidden = 4\n\nloss = \"hinge\"\n");
    place.badly(
        2,
        &["train", "--config", "f.toml"],
        &["f.toml, line 3", "mse"],
    );
    place.write("g.toml", "hidden = -4\n");
    place.badly(2, &["train", "--config", "g.toml"], &["g.toml, line 1"]);
    place.write("h.toml", "hidden = 4\n[more\n");
    place.badly(2, &["train", "--config", "h.toml"], &["h.toml, line 2"]);
    place.write("i.toml", b"hidden = 4 # \xff\n");
    place.badly(2, &["train", "--config", "i.toml"], &["i.toml"]);
    untouched(&place, &[]);
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
    place.write("sea.txt", prose(100));
    place.badly(2, &train(&["sea.txt", "--burn-in", "5000"]), &["--burn-in"]);
    place.badly(2, &train(&["sea.txt", "--loss", "mse"]), &["cross-entropy"]);
    place.badly(1, &train(&["sea.txt", "--window", "5000"]), &["window"]);
    place.badly(
        2,
        &train(&["sea.txt", "--validation", "0"]),
        &["--validation"],
    );
    place.badly(
        2,
        &train(&["sea.txt", "--test", "0.9", "--validation", "0.9"]),
        &["to train on"],
    );
    place.write("sea.book", prose(100));
    place.badly(2, &train(&["sea.book"]), &["sea.book", "--task"]);
    std::fs::create_dir(place.path("none")).unwrap();
    place.badly(1, &train(&["none"]), &["none", ".txt"]);
    untouched(&place, &[]);
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
    // It may go on only with the data that it began with, under the options that it began with.
    for more in [
        ["--seed", "2"],
        ["--optimiser", "sgd"],
        ["--minutes", "nan"],
        ["--target", "heat"],
    ] {
        let arguments = [&["train", "--resume", "series"], &more[..]].concat();
        place.badly(2, &arguments, &["--epochs"]);
    }
    place.write("load.csv", wave(130));
    place.badly(1, &["train", "--resume", "series"], &["series", "data"]);
    place.write("load.csv", wave(120));
    place.write("sea.txt", prose(190));
    place.badly(1, &["train", "--resume", "text"], &["text", "data"]);
    std::fs::remove_file(place.path("sea.txt")).unwrap();
    place.badly(1, &["train", "--resume", "text"], &["sea.txt"]);
    place.badly(1, &["evaluate", "text"], &["sea.txt"]);
    place.well(&["generate", "text", "--length", "9"]);
    place.write("sea.txt", prose(200));
    place.badly(1, &["info", "sea.txt"], &["sea.txt", "safetensors"]);
    for command in ["evaluate", "predict"] {
        place.badly(1, &[command, "load.csv"], &["load.csv", "safetensors"]);
    }
    place.badly(
        1,
        &["train", "--resume", "load.csv"],
        &["load.csv", "a run is a folder"],
    );
    place.badly(
        1,
        &["train", "--resume", "nowhere"],
        &["nowhere", "no such folder"],
    );
    place.badly(
        1,
        &["evaluate", "series", "--data", "nowhere.csv"],
        &["nowhere.csv"],
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
        &["file/below", "--out"],
    );
    place.badly(
        1,
        &train(&["load.csv", "--target", "load", "--out", "file"]),
        &["file", "--out"],
    );
    if std::path::Path::new("/proc/version").exists() {
        // Not even the superuser may write there.
        place.badly(
            1,
            &train(&["load.csv", "--target", "load", "--out", "/proc/run"]),
            &["/proc/run", "--out"],
        );
    }
}

#[test]
fn runs_of_another_version() {
    let place = with_runs();
    let change = |file: &str, key: &str, to: &dyn Fn(&str) -> String| {
        let whole = place.bytes(file);
        let mut all = Tensors::from_own_bytes(file, &whole).unwrap();
        let old = all.metadata[key].clone();
        all.metadata.insert(key.into(), to(&old));
        place.write(file, all.to_bytes().unwrap());
        whole
    };
    let (model, checkpoint) = ("series/model.safetensors", "series/checkpoint.safetensors");
    let resume = ["train", "--resume", "series", "--epochs", "4"];
    let info = ["info", "series"];
    let evaluate = ["evaluate", "series"];
    let nine = |_: &str| "9".to_string();
    let newer = |old: &str| format!("{old}sparkle = 3\n");
    // A file, a key of its metadata, what it becomes; a command, and what it must say.
    type Case<'a> = (&'a str, &'a str, Change<'a>, &'a [&'a str], &'a [&'a str]);
    type Change<'a> = &'a dyn Fn(&str) -> String;
    let cases: [Case; 13] = [
        (
            model,
            "elman.format",
            &nine,
            &info,
            &["format 9", "version"],
        ),
        (model, "elman.cell", &nine, &info, &["cell", "\"9\""]),
        (model, "elman.hidden", &nine, &info, &["numbers"]),
        (
            model,
            "elman.hidden",
            &|_| "-1".into(),
            &info,
            &["elman.hidden"],
        ),
        (model, "elman.layers", &|_| "0".into(), &info, &["numbers"]),
        (
            model,
            "extra.config",
            &newer,
            &info,
            &["sparkle", "version"],
        ),
        (
            model,
            "extra.task",
            &|_| "\"chess\"".into(),
            &evaluate,
            &["chess", "version"],
        ),
        (model, "extra.scaler", &nine, &evaluate, &["scaler"]),
        (
            checkpoint,
            "checkpoint.format",
            &nine,
            &resume,
            &["format 9", "version"],
        ),
        (
            checkpoint,
            "checkpoint.config",
            &newer,
            &resume,
            &["sparkle", "version"],
        ),
        (
            checkpoint,
            "checkpoint.progress",
            &nine,
            &resume,
            &["progress"],
        ),
        (checkpoint, "checkpoint.data", &nine, &resume, &["data"]),
        (
            checkpoint,
            "checkpoint.progress",
            &|old| old.replace("\"batch\":0", "\"batch\":77"),
            &resume,
            &["checkpoint"],
        ),
    ];
    for (file, key, to, arguments, words) in cases {
        let whole = change(file, key, to);
        place.badly(1, arguments, &[&["series"], words].concat());
        place.write(file, whole);
    }
    place.well(&resume);
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
        for cut in [0, 1, 7, 8, 9, 100, n / 2, n - 1]
            .into_iter()
            .chain((0..n).step_by(n / 17))
        {
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

/// The command under a limit on the size of files, in blocks of 512 bytes: it stands for a disk that fills up.
#[cfg(unix)]
fn limited(place: &Place, blocks: u64, rest: &str) -> (Option<i32>, String) {
    let command = env!("CARGO_BIN_EXE_elman");
    let shell = format!("ulimit -f {blocks} && trap '' XFSZ && exec {command} {rest}");
    let ended = std::process::Command::new("sh")
        .args(["-c", &shell])
        .current_dir(place.folder.path())
        .output()
        .unwrap();
    (
        ended.status.code(),
        String::from_utf8(ended.stderr).unwrap(),
    )
}

#[cfg(unix)]
#[test]
fn a_full_disk() {
    let place = Place::new();
    let one_line = |text: &str| text.starts_with("elman: ") && text.lines().count() == 1;
    // Nothing fits.
    let (code, text) = limited(&place, 1, "train --quiet --hidden 64 --out r");
    assert_eq!(code, Some(1), "{text}");
    assert!(
        one_line(&text) && text.contains("r/") && text.contains("space"),
        "{text}"
    );
    assert!(place.leftovers().is_empty());
    std::fs::remove_dir_all(place.path("r")).unwrap();
    // The first save fits, the last does not: the checkpoint grows with the epochs.
    place.well(&["train", "--quiet", "--epochs", "1", "--out", "first"]);
    let size = place.bytes("first/checkpoint.safetensors").len() as u64;
    let (code, text) = limited(&place, size.div_ceil(512) + 1, "train --quiet --out r");
    assert_eq!(code, Some(1), "{text}");
    assert!(
        one_line(&text) && text.contains("checkpoint") && text.contains("r keeps"),
        "{text}"
    );
    assert!(place.leftovers().is_empty());
    place.well(&["evaluate", "r"]);
    // With space again it goes on, to the same bits.
    place.well(&["train", "--resume", "r", "--quiet"]);
    place.well(&["train", "--quiet", "--out", "whole"]);
    assert_eq!(
        place.bytes("r/model.safetensors"),
        place.bytes("whole/model.safetensors")
    );
}

#[cfg(target_os = "linux")]
#[test]
fn nobody_reads_what_it_says() {
    let place = Place::new();
    let full = || std::fs::File::create("/dev/full").unwrap();
    let train = ["train", "--epochs", "2", "--out", "r"];
    // Progress that nobody can read does not end the training.
    let ended = place.command(&train).stderr(full()).output().unwrap();
    assert_eq!(ended.status.code(), Some(0));
    let ended = place
        .command(&["info", "r"])
        .stdout(full())
        .output()
        .unwrap();
    let text = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1));
    assert!(
        text.starts_with("elman: standard output") && text.lines().count() == 1,
        "{text}"
    );
}

#[test]
fn a_level_that_there_is_not() {
    let place = Place::new();
    for arguments in [&["lesson"][..], &["bench", "--seconds", "0.01"]] {
        let mut command = place.command(arguments);
        let output = command.env("ELMAN_LEVEL", "avx1024").output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
        for word in ["elman: ELMAN_LEVEL", "avx1024", "portable"] {
            assert!(text.contains(word), "no {word:?} in {text:?}");
        }
        assert!(output.stdout.is_empty());
    }
}
