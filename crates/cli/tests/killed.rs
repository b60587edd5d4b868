//! A run killed at any moment is loadable and goes on to the same bits; so does one stopped with Ctrl-C.
#![cfg(unix)]

mod command;

use command::{Place, prose};
use elman::io::Tensors;
use elman::train::{Options, Pauses, Run, Session};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::ops::ControlFlow;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const KILLS: u64 = 30;

fn options(method: &str, schedule: &str, epochs: usize) -> String {
    format!(
        "data = \"sea.txt\"\nhidden = 16\nbatch = 4\nwindow = 16\nepochs = {epochs}\noptimiser = \"{method}\"\n\
         learning_rate = 0.003\nschedule = \"{schedule}\"\npatience = 0\n"
    )
}

/// The bytes of a run's model.
fn model(place: &Place, run: &str) -> Vec<u8> {
    place.bytes(&format!("{run}/model.safetensors"))
}

/// What a run's checkpoint says of its progress.
fn progress(place: &Place, run: &str) -> Value {
    let name = format!("{run}/checkpoint.safetensors");
    let all = Tensors::from_own_bytes(&name, &place.bytes(&name)).unwrap();
    serde_json::from_str(&all.metadata["checkpoint.progress"]).unwrap()
}

/// That two runs ended with the same bits: those of the model, and of the checkpoint apart from times.
fn same(place: &Place, a: &str, b: &str) {
    assert!(
        model(place, a) == model(place, b),
        "the models of {a} and {b} differ"
    );
    let timeless = |run: &str| {
        let name = format!("{run}/checkpoint.safetensors");
        let mut all = Tensors::from_own_bytes(&name, &place.bytes(&name)).unwrap();
        let mut progress = progress(place, run);
        for epoch in progress["epochs"].as_array_mut().unwrap() {
            epoch["steps_per_second"] = Value::Null;
        }
        let progress = progress.to_string();
        all.metadata.insert("checkpoint.progress".into(), progress);
        all
    };
    assert!(
        timeless(a) == timeless(b),
        "the checkpoints of {a} and {b} differ"
    );
}

/// Not a test but the process that [`killed_at_any_moment`] kills: it saves after every step.
#[test]
#[ignore = "is started by another test"]
fn process_to_be_killed() {
    let Ok(folder) = std::env::var("RUN_TO_BE_KILLED") else {
        return;
    };
    let path = Path::new(&folder);
    let mut session = if path.join("checkpoint.safetensors").exists() {
        Session::resume(Run::open(path).unwrap(), Options::default(), 1).unwrap()
    } else {
        let text = std::fs::read_to_string("c.toml").unwrap();
        let options = Options::from_toml("c.toml", &text).unwrap();
        Session::start(options, |_| path.into(), 1).unwrap()
    };
    session.pauses = Pauses {
        epoch: Duration::ZERO,
        step: Duration::ZERO,
    };
    session.train(&mut |_| ControlFlow::Continue(())).unwrap();
}

fn begin(place: &Place) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["process_to_be_killed", "--exact", "--ignored", "--quiet"])
        .env("RUN_TO_BE_KILLED", "cut")
        .current_dir(place.folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn killed_at_any_moment() {
    let place = Place::new();
    place.write("sea.txt", prose(150));
    place.write("c.toml", options("adam", "cosine", 6));
    place.well(&["train", "--config", "c.toml", "--out", "whole", "--quiet"]);
    let (mut kills, mut torn, mut round) = (0, 0, 0);
    while kills < KILLS {
        round += 1;
        if round % 2 == 0 {
            for path in place.leftovers() {
                std::fs::remove_file(path).unwrap();
            }
        }
        let mut child = begin(&place);
        // Every second time as soon as a file is being written (never, once the run is whole), else at some moment.
        let moment = Instant::now() + Duration::from_millis(20 + (round * 7919) % 130);
        let writing = || !place.leftovers().is_empty();
        while Instant::now() < moment && !(round % 2 == 0 && writing()) {
            sleep(Duration::from_micros(200));
        }
        child.kill().unwrap();
        if child.wait().unwrap().signal() != Some(9) {
            // It was faster, and the run is whole: another one.
            same(&place, "whole", "cut");
            std::fs::remove_dir_all(place.path("cut")).unwrap();
            continue;
        }
        kills += 1;
        torn += u64::from(round % 2 == 0 && !place.leftovers().is_empty());
        if place.path("cut/model.safetensors").exists() {
            place.well(&["info", "cut"]);
            place.well(&["evaluate", "cut", "--json"]);
        } else if place.path("cut/checkpoint.safetensors").exists() {
            place.fails(1, &["info", "cut"], &["cut", "elman train --resume"]);
        }
    }
    assert!(torn > 0, "no kill came in the middle of a save");
    if place.path("cut/checkpoint.safetensors").exists() {
        place.well(&["train", "--resume", "cut", "--quiet"]);
    } else {
        place.well(&["train", "--config", "c.toml", "--out", "cut", "--quiet"]);
    }
    same(&place, "whole", "cut");
    assert!(
        place.leftovers().is_empty(),
        "what a killed run left is there after it went on"
    );
}

/// Starts training, and after `wait` sends the signal of Ctrl-C; what it then said.
fn interrupt(place: &Place, arguments: &[&str], wait: Duration) -> String {
    let mut child = place
        .command(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It is listening once it says what it learns.
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    lines.read_line(&mut said).unwrap();
    sleep(wait);
    let id = child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &id]).output();
    assert!(sent.is_ok());
    lines.read_to_string(&mut said).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn interrupted_in_the_middle_of_an_epoch() {
    let place = Place::new();
    place.write("sea.txt", prose(600));
    let mut within = 0;
    for (method, schedule) in [
        ("adam-w", "cosine"),
        ("adam", "plateau"),
        ("sgd", "plateau"),
        ("rms-prop", "constant"),
    ] {
        place.write("c.toml", options(method, schedule, 8));
        let clock = Instant::now();
        place.well(&["train", "--config", "c.toml", "--out", "whole", "--quiet"]);
        let wait = clock.elapsed().mul_f64(0.2);
        let mut said = interrupt(
            &place,
            &["train", "--config", "c.toml", "--out", "cut"],
            wait,
        );
        for _ in 0..3 {
            if !said.contains("stopped on request") {
                break;
            }
            assert!(said.contains("elman train --resume cut"), "{said}");
            within += u64::from(progress(&place, "cut")["steps"].as_u64() > Some(0));
            assert!(place.path("cut/report.html").exists());
            place.well(&["info", "cut"]);
            said = interrupt(&place, &["train", "--resume", "cut"], wait);
        }
        place.well(&["train", "--resume", "cut", "--quiet"]);
        same(&place, "whole", "cut");
        for run in ["whole", "cut"] {
            std::fs::remove_dir_all(place.path(run)).unwrap();
        }
    }
    assert!(within > 0, "no run was stopped within an epoch");
}
