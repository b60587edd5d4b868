//! An idle team costs no processor time. Alone in its file, so that nothing else runs in the process.

#![cfg(all(target_os = "linux", not(miri)))]

use elman_kernels::Team;
use std::time::Duration;

/// User and system time of all helpers, in clock ticks (10 ms).
fn ticks() -> u64 {
    let tasks = std::fs::read_dir("/proc/self/task").expect("tasks");
    let stat = tasks.filter_map(|t| std::fs::read_to_string(t.ok()?.path().join("stat")).ok());
    stat.filter(|s| s.contains("(elman-"))
        .filter_map(|s| {
            let fields: Vec<&str> = s.rsplit(')').next()?.split_whitespace().collect();
            Some(fields[11].parse::<u64>().ok()? + fields[12].parse::<u64>().ok()?)
        })
        .sum()
}

#[test]
fn idle_costs_nothing() {
    let team = Team::new(4);
    team.each(&mut [0; 4], |i| *i += 1);
    std::thread::sleep(Duration::from_millis(50));
    let before = ticks();
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(ticks(), before);
    drop(team);
}
