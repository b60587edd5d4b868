//! Reading data takes no more memory than a small multiple of the file, however short its fields are.
//! Alone in its file, because it watches the memory of its process.
#![cfg(target_os = "linux")]

use elman_train::data::sequences::{JsonlOptions, parse_jsonl};
use elman_train::data::{Pairs, Table};

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

/// Memory that reading `unit`, many times over, takes beside the file, in multiples of the file.
fn grown<T>(unit: &str, read: impl Fn(&[u8]) -> T) -> f64 {
    let bytes = unit.repeat((8 << 20) / unit.len()).into_bytes();
    forget();
    let before = peak();
    let kept = read(&bytes);
    let grown = (peak() - before) as f64 / bytes.len() as f64;
    drop(kept);
    grown
}

#[test]
fn short_fields_cost_little() {
    let table = |bytes: &[u8]| Table::parse("x", bytes).unwrap();
    let pairs = |bytes: &[u8]| Pairs::parse("x", bytes).unwrap();
    let jsonl = |bytes: &[u8]| {
        let line = [b"{\"x\":[", &bytes[..bytes.len() - 1], b"]}"].concat();
        parse_jsonl("x", &line, JsonlOptions::default()).unwrap()
    };
    // A number takes 8 bytes and its row 4; a text its own and 4.
    let found = [
        ("numbers of one digit", grown("1\n", table), 6.3),
        ("numbers", grown("1.25,3.75\n", table), 2.3),
        ("texts of one letter", grown("a\n", table), 4.8),
        ("dates and numbers", grown("2020-01-01,3.5\n", table), 2.3),
        ("pairs", grown("a\tb\n", pairs), 4.0),
        ("steps of a number", grown("[1],", jsonl), 4.2),
        ("numbers in a line", grown("1.5,", jsonl), 4.2),
    ];
    for (name, times, most) in found {
        println!("{name}: {times:.2} times the file");
        assert!(
            times <= most,
            "{name}: {times:.2} times the file, at most {most}"
        );
    }
}
