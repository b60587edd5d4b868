//! One test for each fault that was found, as a person meets it.

mod command;

use command::{Place, SHORT, wave};
use elman::core::Params;
use elman::doctor::{Asked, Doctor};
use elman::train::Trained;
use serde_json::Value;

/// Sequences of `steps` steps of one channel in JSON lines, with a class at the end of each.
fn labelled(rows: usize, steps: usize) -> String {
    let row = |r: usize| {
        let x: Vec<String> = (0..steps)
            .map(|t| format!("[{:.3}]", ((t * (r + 3)) as f64 * 0.37).sin()))
            .collect();
        format!(
            "{{\"x\": [{}], \"y\": \"{}\"}}\n",
            x.join(","),
            ["a", "b"][r % 2]
        )
    };
    (0..rows).map(row).collect()
}

/// A place with a run on rows of 700 steps whose loss stands at the last.
fn long_rows(read: &str) -> Place {
    let place = Place::new();
    place.write("rows.jsonl", labelled(24, 700));
    let options = [
        "train",
        "rows.jsonl",
        "--task",
        "classify",
        "--read",
        read,
        "--flow",
        "on",
        "--out",
        "run",
    ];
    place.well(&[&options[..], &SHORT].concat());
    place
}

#[test]
fn doctor_and_unroll_look_back_from_the_loss_of_long_rows() {
    let place = long_rows("last");
    let said: Value = serde_json::from_str(&place.well(&["doctor", "run", "--json"]).out).unwrap();
    assert!(
        said["data"]
            .as_str()
            .unwrap()
            .ends_with("steps 301 to 700 of 700"),
        "{}",
        said["data"]
    );
    assert_eq!(
        (&said["looked"][0]["from"], &said["looked"][0]["to"]),
        (&300.into(), &700.into())
    );
    assert_eq!(said["flow"]["about"]["longest"], 400);
    assert!(said["flow"]["lag"]["loss_times"].as_u64().unwrap() >= 16);
    let drawn = place
        .well(&["unroll", "run", "--json", "--steps", "30"])
        .out;
    let drawn: Value = serde_json::from_str(&drawn).unwrap();
    let steps = drawn["steps"].as_array().unwrap();
    assert_eq!(
        (steps.len(), &steps[0]["t"], &steps[29]["t"]),
        (30, &670.into(), &699.into())
    );
    assert!(steps[29]["ln_loss_gradient"].is_number());
    place.well(&["lesson", "--run", "run"]);
    // And while it trains.
    let metrics = String::from_utf8(place.bytes("run/metrics.jsonl")).unwrap();
    for line in metrics.lines() {
        let epoch: Value = serde_json::from_str(line).unwrap();
        assert_eq!(epoch["flow"]["measured_to"], 128, "{line}");
    }
    let auto = "train rows.jsonl --task classify --read last --window auto --gain 0.5 --out auto";
    let auto: Vec<&str> = auto.split(' ').collect();
    place.well(&[&auto[..], &SHORT].concat());
    let metrics = String::from_utf8(place.bytes("auto/metrics.jsonl")).unwrap();
    let first: Value = serde_json::from_str(metrics.lines().next().unwrap()).unwrap();
    assert!(first["window"].as_u64().unwrap() < 300, "{first}");
}

#[test]
fn the_mean_over_long_rows_is_that_of_all_steps() {
    let place = long_rows("mean");
    let mut trained = Trained::load(&place.path("run")).unwrap();
    trained.config.data = Some(place.path("rows.jsonl").display().to_string());
    let short = trained.probe(None, 24, 400).unwrap();
    let whole = trained.probe(None, 24, 700).unwrap();
    assert!(
        (short.loss - whole.loss).abs() < 1e-5,
        "{} {}",
        short.loss,
        whole.loss
    );
    let width = trained.network.output_width();
    let d = |probe: &elman::train::Probe, t: usize| {
        let at = probe.batch.at(t, 3).unwrap();
        probe.d_outputs[at * width..][..width].to_vec()
    };
    for (t, (a, b)) in (0..400).map(|t| (t, (d(&short, t), d(&whole, t + 300)))) {
        a.iter()
            .zip(&b)
            .for_each(|(a, b)| assert!((a - b).abs() < 1e-8, "{t}: {a} {b}"));
    }
}

#[test]
fn a_readout_of_zeros_passes_no_gate() {
    let place = Place::new();
    place.write("load.csv", wave(200));
    let options = [
        "train",
        "load.csv",
        "--target",
        "load",
        "--cell",
        "elman-linear",
        "--out",
        "run",
    ];
    place.well(&[&options[..], &SHORT].concat());
    let file = place.path("run/model.safetensors");
    let mut model = elman::io::read_model(&file).unwrap();
    let mut params: Params<f32> = model.params.clone();
    params.get_mut("readout.weight").unwrap().fill(0.0);
    model.params = params;
    elman::io::write_model(&file, &model).unwrap();
    for gate in ["horizon>=50", "beta<1", "peak<=100"] {
        let ended = place.elman(&["doctor", "run", "--require", gate]);
        assert_eq!(ended.code, 1, "{gate}: {}", ended.out);
        assert!(
            ended.err.contains("no gradient reaches the states"),
            "{}",
            ended.err
        );
        assert!(
            ended.out.contains("\nno gradient reaches the states: "),
            "{}",
            ended.out
        );
    }
    // States that overflow: the file itself may hold no number that is not finite.
    model.params.get_mut("weight_hh_l0").unwrap()[0] = 1e35;
    elman::io::write_model(&file, &model).unwrap();
    let ended = place.elman(&["doctor", "run", "--require", "horizon>=1"]);
    assert_eq!(ended.code, 1);
    assert!(
        ended
            .out
            .contains("not a number: the state of layer 0 is first not finite at step"),
        "{}",
        ended.out
    );
    let json = place
        .well(&["doctor", "run", "--json", "--html", "page.html"])
        .out;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert!(json["flow"]["decay"]["beta"].is_null());
    assert_eq!(json["verdict"]["cause"], "not-a-number");
}

#[test]
fn the_command_and_the_library_give_one_answer() {
    let place = Place::new();
    place.write("load.csv", wave(300));
    let options = [
        "train", "load.csv", "--target", "load", "--window", "12", "--out", "run",
    ];
    place.well(&[&options[..], &SHORT].concat());
    let mut command: Value =
        serde_json::from_str(&place.well(&["doctor", "run", "--json"]).out).unwrap();
    let run = place.path("run");
    let mut trained = Trained::load(&run).unwrap();
    trained.config.data = Some(place.path("load.csv").display().to_string());
    let found = Doctor::new(&trained, Some(&run), &Asked::default())
        .unwrap()
        .examine()
        .unwrap();
    let mut library = serde_json::to_value(&found).unwrap();
    command.as_object_mut().unwrap().remove("requirements");
    for answer in [&mut command, &mut library] {
        assert!(answer["data"].as_str().unwrap().contains("load.csv"));
        answer["data"] = Value::Null;
    }
    assert_eq!(command, library);
    assert_eq!(library["window"], 12);
}

#[test]
fn fixed_points_and_exponents_are_printed() {
    let place = Place::new();
    place.write("load.csv", wave(200));
    let options = ["train", "load.csv", "--target", "load", "--out", "run"];
    place.well(&[&options[..], &SHORT].concat());
    let said = place
        .well(&["doctor", "run", "--fixed-points", "--exponents", "all"])
        .out;
    assert!(
        said.contains("Fixed points under the mean input of the data (")
            && said.contains("largest |eigenvalue|"),
        "{said}"
    );
    assert!(
        said.contains("Lyapunov exponents per step, 5 of 5"),
        "{said}"
    );
    let zero = place
        .well(&[
            "doctor",
            "run",
            "--fixed-points",
            "--fixed-point-input",
            "zero",
        ])
        .out;
    assert!(zero.contains("under the zero input (0)"), "{zero}");
    for wrong in [["--fixed-point-input", "zero"], ["--exponents", "none"]] {
        let ended = place.elman(&[&["doctor", "run"][..], &wrong].concat());
        assert_eq!(ended.code, 2, "{}", ended.err);
    }
}
