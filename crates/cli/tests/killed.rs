//! A run killed at any moment is loadable and goes on to the same bits.

mod command;

use command::{Place, prose};
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

const KILLS: u64 = 25;

fn options<'a>(out: &'a str, method: &'a str, schedule: &'a str) -> Vec<&'a str> {
    vec![
        "train",
        "sea.txt",
        "--out",
        out,
        "--quiet",
        "--hidden",
        "16",
        "--epochs",
        "30",
        "--batch",
        "4",
        "--window",
        "16",
        "--optimiser",
        method,
        "--learning-rate",
        "0.003",
        "--schedule",
        schedule,
        "--patience",
        "0",
        "--threads",
        "1",
    ]
}

fn same(place: &Place, a: &str, b: &str) {
    assert_eq!(
        place.bytes(&format!("{a}/model.safetensors")),
        place.bytes(&format!("{b}/model.safetensors"))
    );
}

#[test]
fn killed_at_any_moment() {
    let place = Place::new();
    place.write("sea.txt", prose(600));
    let clock = Instant::now();
    place.well(&options("whole", "adam", "cosine"));
    let took = clock.elapsed();
    let started = place
        .command(&options("cut", "adam", "cosine"))
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .spawn();
    let mut child = started.unwrap();
    while !place.path("cut/model.safetensors").exists() {
        sleep(Duration::from_millis(1));
    }
    for i in 0..KILLS {
        // Moments spread over the whole course, starting with the first saves.
        sleep(took.mul_f64(0.002 + 0.08 * ((i * 7919) % 100) as f64 / 100.0));
        child.kill().unwrap();
        child.wait().unwrap();
        place.well(&["info", "cut"]);
        let resume = ["train", "--resume", "cut", "--quiet", "--threads", "1"];
        child = place
            .command(&resume)
            .stderr(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    place.well(&["evaluate", "cut"]);
    place.well(&["train", "--resume", "cut", "--quiet", "--threads", "1"]);
    same(&place, "whole", "cut");
}

#[cfg(unix)]
#[test]
fn interrupted_in_the_middle_of_an_epoch() {
    let place = Place::new();
    place.write("sea.txt", prose(600));
    for (method, schedule) in [
        ("adam-w", "cosine"),
        ("sgd", "plateau"),
        ("rms-prop", "constant"),
    ] {
        let clock = Instant::now();
        place.well(&options("whole", method, schedule));
        let took = clock.elapsed();
        let arguments = options("cut", method, schedule);
        let mut ended = None;
        for tries in 0..20 {
            let resume = ["train", "--resume", "cut", "--quiet", "--threads", "1"];
            let arguments = if tries == 0 {
                &arguments[..]
            } else {
                &resume[..]
            };
            let child = place
                .command(arguments)
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            sleep(took.mul_f64(0.3));
            let _ = std::process::Command::new("kill")
                .args(["-INT", &child.id().to_string()])
                .status();
            let output = child.wait_with_output().unwrap();
            assert_eq!(
                output.status.code(),
                Some(0),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
            let out = String::from_utf8(output.stdout).unwrap();
            if !out.contains("stopped on request") {
                ended = Some(out);
                break;
            }
            assert!(out.contains("elman train --resume cut"), "{out}");
        }
        assert!(ended.is_some(), "it never came to an end");
        same(&place, "whole", "cut");
        let metrics = String::from_utf8(place.bytes("cut/metrics.jsonl")).unwrap();
        assert_eq!(metrics.lines().count(), 30);
        for run in ["whole", "cut"] {
            std::fs::remove_dir_all(place.path(run)).unwrap();
        }
    }
}
