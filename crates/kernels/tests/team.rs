//! The team of threads: every item once, by its thread; panics, nesting, sharing, sleeping, dropping.

mod small;

use elman_kernels::Team;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

#[test]
fn every_item_once_by_its_thread() {
    for threads in [1, 2, 3, 5] {
        let team = Team::new(threads);
        assert_eq!(team.threads(), threads);
        for len in [0, 1, 2, 3, 7, 20] {
            let mut items: Vec<(usize, Option<ThreadId>)> = vec![(0, None); len];
            team.each(&mut items, |item| {
                item.0 += 1;
                item.1 = Some(std::thread::current().id());
            });
            assert!(items.iter().all(|item| item.0 == 1));
            for (i, item) in items.iter().enumerate() {
                assert_eq!(item.1, items[i % threads].1);
                assert_eq!(
                    item.1 == Some(std::thread::current().id()),
                    i % threads == 0
                );
            }
        }
    }
    assert_eq!(Team::new(0).threads(), 1);
}

#[test]
fn thousands_of_short_calls() {
    let team = Team::new(3);
    let mut items = [0usize; 3];
    let calls = if small::small() { 50 } else { 20_000 };
    for _ in 0..calls {
        team.each(&mut items, |i| *i += 1);
    }
    assert_eq!(items, [calls; 3]);
}

#[test]
fn a_sleeping_team_wakes() {
    let team = Team::new(2);
    let mut items = [0usize; 2];
    for pause in [0, 40, 60, 200, 3000] {
        for _ in 0..20 {
            std::thread::sleep(Duration::from_micros(pause));
            team.each(&mut items, |i| *i += 1);
        }
    }
    assert_eq!(items, [100; 2]);
}

#[test]
fn a_waiting_caller_sleeps_and_wakes() {
    let team = Team::new(3);
    let mut items = [0u64, 3, 6];
    let begin = Instant::now();
    team.each(&mut items, |i| {
        std::thread::sleep(Duration::from_millis(*i))
    });
    assert!(begin.elapsed() >= Duration::from_millis(6));
}

#[test]
fn a_panic_reaches_the_caller_when_all_are_done() {
    let team = Team::new(3);
    for guilty in 0..6 {
        let done = AtomicUsize::new(0);
        let mut items: Vec<usize> = (0..6).collect();
        let panic = catch_unwind(AssertUnwindSafe(|| {
            team.each(&mut items, |&mut i| {
                if i == guilty {
                    panic!("item {i}");
                }
                std::thread::sleep(Duration::from_millis(1));
                done.fetch_add(1, Ordering::Relaxed);
            });
        }))
        .expect_err("it panics");
        assert_eq!(
            panic.downcast_ref::<String>(),
            Some(&format!("item {guilty}"))
        );
        // The guilty thread's own later item is lost; the other threads have finished.
        assert_eq!(done.load(Ordering::Relaxed), if guilty < 3 { 4 } else { 5 });
        let mut items = [0; 3];
        team.each(&mut items, |i| *i += 1);
        assert_eq!(items, [1; 3], "the team works on");
    }
}

#[test]
fn nested_and_concurrent_use() {
    let team = Team::new(2);
    let mut items = [[0usize; 4]; 4];
    team.each(&mut items, |inner| team.each(inner, |i| *i += 1));
    assert_eq!(items, [[1; 4]; 4]);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut items = [0usize; 5];
                for _ in 0..2000 {
                    team.each(&mut items, |i| *i += 1);
                }
                assert_eq!(items, [2000; 5]);
            });
        }
    });
}

#[test]
fn made_and_dropped() {
    for threads in 0..200 {
        let team = Team::new(threads % 5);
        if threads % 3 == 0 {
            team.each(&mut [0; 8], |i| *i += 1);
        }
    }
}
