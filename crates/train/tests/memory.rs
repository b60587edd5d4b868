//! Reading data takes no more memory than a small multiple of the file, however short its fields are.
//! Alone in its file, because it watches the memory of its process.
#![cfg(target_os = "linux")]

use elman_io::{Numbers, Tensor, npy_to_bytes};
use elman_train::data::sequences::{
    JsonlOptions, LabelKind, LongOptions, WideOptions, parse_jsonl, parse_long, parse_ts,
    parse_wide, read_npy_sequences,
};
use elman_train::data::{Fractions, Missing, Pairs, Table, Text};
use std::hint::black_box;
use std::process::Command;

/// Bytes of each file.
const SIZE: usize = 8 << 20;
/// The most that reading may take beside the file, in multiples of it.
const MOST: f64 = 4.0;
/// What the allocator takes for itself, and the bits that say where rows and sequences begin.
const NOISE: f64 = 0.1;

/// The most memory that this process has had since [`forget`], in bytes.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap();
    let kilobytes = line.split_whitespace().nth(1).unwrap();
    kilobytes.parse::<usize>().unwrap() * 1024
}

fn forget() {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
}

/// Checks what `read` takes beside a file, in multiples of it; in a process of its own, because an allocator
/// keeps what was given back to it.
fn check<T>(name: &str, most: f64, file: impl Fn() -> Vec<u8>, read: impl Fn(&[u8]) -> T) {
    match std::env::var("CASE") {
        Ok(case) if case == name => {
            let times = taken(&file(), read);
            println!("CASE {name}: {times:.2} times the file");
            assert!(
                times <= most + NOISE,
                "{name}: {times:.2} times the file, at most {most}"
            );
        }
        Ok(_) => {}
        Err(_) => {
            let mut own = Command::new(std::env::current_exe().unwrap());
            let said = own.arg("--nocapture").env("CASE", name).output().unwrap();
            let text = String::from_utf8_lossy(&said.stdout);
            text.lines()
                .filter_map(|l| l.split_once("CASE "))
                .for_each(|(_, found)| println!("{found}"));
            let text = String::from_utf8_lossy(&said.stderr);
            assert!(said.status.success(), "{text}");
        }
    }
}

fn taken<T>(file: &[u8], read: impl Fn(&[u8]) -> T) -> f64 {
    forget();
    let before = peak();
    black_box(read(file));
    (peak() - before) as f64 / file.len() as f64
}

/// With room for all that is to come: what a growing text would give back, the allocator would keep.
fn empty(head: &str) -> String {
    let mut all = String::with_capacity(2 * SIZE);
    all.push_str(head);
    all
}

/// `unit` many times over, between a head and a tail.
fn file<'a>(head: &'a str, unit: &'a str, tail: &'a str) -> impl Fn() -> Vec<u8> + 'a {
    move || {
        let mut all = empty(head);
        while all.len() < SIZE {
            all.push_str(unit);
        }
        all.push_str(tail);
        all.into_bytes()
    }
}

/// Numbers of one digit, twice as many as fill half a file.
fn halves<'a>(head: &'a str, between: &'a str, tail: &'a str) -> impl Fn() -> Vec<u8> + 'a {
    move || {
        let mut all = empty(head);
        for end in [between, tail] {
            (0..SIZE / 4).for_each(|_| all.push_str("1,"));
            all.push('1');
            all.push_str(end);
        }
        all.into_bytes()
    }
}

/// Lines that `line` makes of names, each another.
fn named(head: &str, line: impl Fn(&str) -> String) -> impl Fn() -> Vec<u8> {
    move || {
        let mut all = empty(head);
        for n in 0.. {
            if all.len() >= SIZE {
                break;
            }
            let letter = |place: u32| char::from(b'a' + (n / 26u32.pow(place) % 26) as u8);
            let name: String = (0..5).map(letter).collect();
            all += &line(name.trim_end_matches('a'));
        }
        all.into_bytes()
    }
}

#[test]
fn tables() {
    let table = |bytes: &[u8]| Table::parse("x", bytes).unwrap();
    let chosen = |bytes: &[u8]| table(bytes).select(&["1"], Missing::Refuse).unwrap();
    let filled = |bytes: &[u8]| table(bytes).select(&["1"], Missing::Interpolate).unwrap();
    check("numbers of one digit", MOST, file("", "1\n", ""), table);
    check(
        "numbers of one digit, chosen",
        MOST,
        file("", "1\n", ""),
        chosen,
    );
    check(
        "numbers of one digit, chosen of two",
        MOST,
        file("", "1,2\n", ""),
        chosen,
    );
    check("numbers", MOST, file("", "1.25,3.75\n", ""), table);
    check("numbers of two signs", MOST, file("", ".1\n", ""), table);
    check(
        "numbers of two signs, chosen",
        MOST,
        file("", ".1\n", ""),
        chosen,
    );
    check(
        "numbers between blank lines",
        MOST,
        file("", "1\n\n", ""),
        table,
    );
    check("texts of one letter", MOST, file("", "a\n", ""), table);
    check(
        "texts of one letter between blank lines",
        MOST,
        file("", "a\n\n", ""),
        table,
    );
    check(
        "dates and numbers",
        MOST,
        file("", "2020-01-01,3.5\n", ""),
        table,
    );
    check(
        "dates and numbers, chosen",
        MOST,
        file("", "2020-01-01,3.5\n", ""),
        |b| table(b).select(&["2"], Missing::Refuse).unwrap(),
    );
    check("commas", MOST, file("", ",,,,\n", ""), table);
    check(
        "commas and a number",
        MOST,
        file("1,1,1,1,1\n", ",,,,\n", ""),
        table,
    );
    check(
        "commas and a long number",
        MOST,
        file("0.1,0.1,0.1,0.1,0.1\n", ",,,,\n", ""),
        table,
    );
    // A column has a name and a type of its own, hence a limit.
    let refused = |bytes: &[u8]| Table::parse("x", bytes).unwrap_err();
    check(
        "one line of many columns",
        MOST,
        file("", "1,", "1\n"),
        refused,
    );
    check(
        "a long second line",
        MOST,
        file("1,1\n", "1,", "1\n"),
        refused,
    );
    check(
        "gaps filled",
        MOST,
        file("1,1,1,1,1\n", ",,,,\n", "2,2,2,2,2\n"),
        filled,
    );
}

#[test]
fn texts_and_pairs() {
    let text = |bytes: &[u8]| Text::parse("x", bytes).unwrap();
    check("pairs", MOST, file("", "a\tb\n", ""), |b| {
        Pairs::parse("x", b).unwrap()
    });
    check("pairs, blank lines", MOST, file("", "a\tb\n\n", ""), |b| {
        Pairs::parse("x", b).unwrap()
    });
    check("text", MOST, file("", "ab", ""), text);
    check("text of four bytes", MOST, file("", "\u{1f600}", ""), text);
    let coded = |b: &[u8]| text(b).encode(Fractions::default(), 1).unwrap();
    // The text itself stays beside its codes.
    check("text as codes", MOST + 1.0, file("", "ab", ""), coded);
    check(
        "text of four bytes as codes",
        MOST,
        file("", "\u{1f600}", ""),
        coded,
    );
}

fn long(
    kind: LabelKind,
    missing: Missing,
) -> impl Fn(&[u8]) -> elman_train::data::sequences::Sequences {
    let (id, label, channels) = ("id".into(), Some("y".into()), vec!["x".into()]);
    let label = if kind == LabelKind::None { None } else { label };
    let options = LongOptions {
        id,
        label,
        kind,
        missing,
        channels,
        step: None,
    };
    move |b| parse_long("x", b, &options).unwrap()
}

#[test]
fn long_and_wide() {
    use LabelKind::*;
    let refuse = Missing::Refuse;
    check(
        "long",
        MOST,
        file("id,x\n", "a,1\n", ""),
        long(None, refuse),
    );
    check(
        "long, numbers of two signs",
        MOST,
        file("id,x\n", "a,.1\n", ""),
        long(None, refuse),
    );
    check(
        "long, a step a sequence",
        MOST,
        named("id,x\n", |n| format!("{n}_,1\n")),
        long(None, refuse),
    );
    check(
        "long, classes",
        MOST,
        file("id,x,y\n", "a,1,b\n", ""),
        long(ClassPerStep, refuse),
    );
    check(
        "long, numbers as labels",
        MOST,
        file("id,x,y\n", "a,1,1\n", ""),
        long(NumberPerStep, refuse),
    );
    check(
        "long, a step and a label a sequence",
        MOST,
        named("id,x,y\n", |n| format!("{n}_,1,1\n")),
        long(Number, refuse),
    );
    check(
        "long, gaps filled",
        MOST,
        file("id,x\na,1\n", "a,\n", "a,2\n"),
        long(None, Missing::Interpolate),
    );
    check(
        "long, gaps left out",
        MOST,
        file("id,x\na,1\n", "a,\na,1\n", ""),
        long(None, Missing::Drop),
    );
    let wide = |kind, label: Option<&str>, channels| {
        let options = WideOptions {
            channels,
            label: label.map(str::to_owned),
            kind,
            missing: Missing::Interpolate,
        };
        move |b: &[u8]| parse_wide("x", b, &options).unwrap()
    };
    check(
        "wide",
        MOST,
        file("", "1,1,1,1\n", ""),
        wide(None, Option::None, 2),
    );
    check(
        "wide, one number a row",
        MOST,
        file("", "1\n", ""),
        wide(None, Option::None, 1),
    );
    check(
        "wide, gaps",
        MOST,
        file("1,1,1,1\n", ",,,1\n", ""),
        wide(None, Option::None, 1),
    );
    check(
        "wide, classes",
        MOST,
        file("", "1,a\n", ""),
        wide(Class, Some("2"), 1),
    );
    check(
        "wide, numbers as labels",
        MOST,
        file("", "1,1\n", ""),
        wide(Number, Some("2"), 1),
    );
    // A class has a name of its own, hence a limit.
    let options = WideOptions {
        channels: 1,
        label: Some("2".into()),
        kind: Class,
        missing: Missing::Refuse,
    };
    check(
        "wide, every row its class",
        MOST,
        named("", |n| format!("1,{n}_\n")),
        move |b: &[u8]| parse_wide("x", b, &options).unwrap_err(),
    );
}

#[test]
fn ts_jsonl_and_npy() {
    let ts = |b: &[u8]| parse_ts("x", b, Missing::Interpolate).unwrap();
    check("ts", MOST, file("@data\n", "1,1,1,1\n", ""), ts);
    check(
        "ts, one number a line",
        MOST,
        file("@data\n", "1\n", ""),
        ts,
    );
    check("ts, channels", MOST, file("@data\n", "1:1:1\n", ""), ts);
    check("ts, one line", MOST, file("@data\n", "1,", "1\n"), ts);
    let two = halves("@data\n", ":", "\n");
    check("ts, two channels of one line", MOST, two, ts);
    check("ts, gaps", MOST, file("@data\n1", ",,,,,,,1", "\n"), ts);
    // A step of one byte takes four, and a bit to say whether a sequence ends there.
    check(
        "ts, nothing but gaps",
        MOST + 0.1,
        file("@data\n1", ",", "1\n"),
        ts,
    );
    check(
        "ts, classes",
        MOST,
        file("@classLabel true a\n@data\n", "1:a\n", ""),
        ts,
    );
    check(
        "ts, numbers as labels",
        MOST,
        file("@targetLabel true\n@data\n", "1:1\n", ""),
        ts,
    );
    let refused = |b: &[u8]| parse_ts("x", b, Missing::Refuse).unwrap_err();
    check(
        "ts, many channels",
        MOST,
        file("@data\n", "1:", "1\n"),
        refused,
    );
    check(
        "ts, many classes",
        MOST,
        named("@classLabel true", |n| format!(" {n}_")),
        refused,
    );
    let jsonl = |kind| {
        let options = JsonlOptions {
            kind,
            missing: Missing::Interpolate,
        };
        move |b: &[u8]| parse_jsonl("x", b, options).unwrap()
    };
    let none = jsonl(LabelKind::None);
    check(
        "steps of a number",
        MOST,
        file("{\"x\":[", "[1],", "[1]]}"),
        none,
    );
    let none = jsonl(LabelKind::None);
    check(
        "numbers in a line",
        MOST,
        file("{\"x\":[", "1,", "1]}"),
        none,
    );
    let none = jsonl(LabelKind::None);
    check(
        "jsonl, tiny lines",
        MOST,
        file("", "{\"x\":[1]}\n", ""),
        none,
    );
    let none = jsonl(LabelKind::None);
    check(
        "jsonl, ids",
        MOST,
        named("", |n| format!("{{\"id\":\"{n}_\",\"x\":[1]}}\n")),
        none,
    );
    let refused = |b: &[u8]| parse_jsonl("x", b, JsonlOptions::default()).unwrap_err();
    check(
        "jsonl, many channels",
        MOST,
        file("{\"x\":[[", "1,", "1]]}"),
        refused,
    );
    for kind in [LabelKind::NumberPerStep, LabelKind::ClassPerStep] {
        let line = halves("{\"x\":[", "],\"y\":[", "]}");
        check(&format!("jsonl, {kind:?}"), MOST, line, jsonl(kind));
    }

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npy");
    let array = |numbers: Numbers| {
        let shape = vec![numbers.len(), 1];
        let bytes = npy_to_bytes(&Tensor { shape, numbers }).unwrap();
        std::fs::write(&path, &bytes).unwrap();
        bytes
    };
    // It reads the file itself.
    let npy = |_: &[u8]| read_npy_sequences(&path, None, LabelKind::None, Missing::Refuse).unwrap();
    let short = || array(Numbers::F32(vec![1.0; SIZE / 4]));
    let wide = || array(Numbers::F64(vec![1.0; SIZE / 8]));
    check("npy", MOST + 1.0, short, npy);
    check("npy of 64 bits", MOST + 1.0, wide, npy);
}
