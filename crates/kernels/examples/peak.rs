//! What the kernels reach on this machine, beside the peak of one core.
//!
//! `cargo run --release -p elman-kernels --example peak [peak|product|outer|functions|team|all] [level] [f64]`
//!
//! Every figure is the best of many short runs, since other work on the machine only ever makes a run slower.

use elman_kernels::{
    Element, Job, Level, Packed, Pick, Rows, RowsMut, Start, Team, Value, column_sum_add, fma_peak,
    outer_add, product,
};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Seconds of the fastest of many runs.
fn best(mut run: impl FnMut()) -> f64 {
    run();
    let once = Instant::now();
    run();
    let calls = (2e-4 / once.elapsed().as_secs_f64().max(1e-9)).clamp(1.0, 1e5) as u32;
    let begin = Instant::now();
    let mut best = f64::INFINITY;
    while begin.elapsed() < Duration::from_millis(60) {
        let begin = Instant::now();
        for _ in 0..calls {
            run();
        }
        best = best.min(begin.elapsed().as_secs_f64() / f64::from(calls));
    }
    best
}

fn numbers<E: Element>(count: usize) -> Vec<E> {
    (0..count)
        .map(|i| E::of((i as f64 * 0.618_033_988_75).fract() - 0.5))
        .collect()
}

fn products<E: Element>(level: Level) {
    let peak = fma_peak::<E>(level, 0.1);
    println!(
        "\nproduct, {} {}: GFLOP/s (peak {peak:.0}); k n then m =",
        level.name(),
        E::NAME
    );
    let rows = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64];
    print!("{:11}", "");
    rows.iter().for_each(|m| print!("{m:>7}"));
    println!();
    for (k, n) in [
        (1, 32),
        (8, 64),
        (16, 16),
        (32, 32),
        (64, 64),
        (128, 128),
        (128, 384),
        (128, 512),
        (256, 256),
        (512, 512),
        (1024, 1024),
    ] {
        print!("{k:>5} {n:>5}");
        let mut nanoseconds = String::new();
        for m in rows {
            let (a, b) = (numbers::<E>(m * k), numbers::<E>(k * n));
            let mut packed = Packed::zeros(k, n);
            packed.pack(0, Rows::new(&b, k, n));
            let mut out = vec![E::ZERO; m * n];
            let time = best(|| {
                let a = Rows::new(black_box(&a), m, k);
                product(
                    level,
                    a,
                    black_box(&packed),
                    RowsMut::new(&mut out, m, n),
                    Start::Keep,
                );
                black_box(&mut out);
            });
            print!("{:7.1}", 2e-9 * (m * k * n) as f64 / time);
            nanoseconds += &format!("{:9.0}", time * 1e9);
        }
        println!("   ns{nanoseconds}");
    }
}

fn outers<E: Element>(level: Level) {
    println!("\nouter_add, {} {}:", level.name(), E::NAME);
    for (name, s, m, n) in [
        ("T1 x", 1600, 32, 1),
        ("T1 h", 1600, 32, 32),
        ("T2 x", 3200, 64, 8),
        ("T2 h", 3200, 64, 64),
        ("T3 x", 3200, 128, 64),
        ("T3 h", 3200, 128, 128),
        ("T4 h", 6400, 256, 256),
        ("T4 lstm", 6400, 1024, 256),
        ("T5 h", 3200, 512, 512),
        ("T6 h", 3200, 1024, 1024),
        ("T7 x", 16000, 64, 1),
        ("T8 h", 1000, 128, 128),
    ] {
        let (a, b) = (numbers::<E>(s * m), numbers::<E>(s * n));
        let mut out = vec![E::ZERO; m * n];
        let time = best(|| {
            let (a, b) = (Rows::new(&a, s, m), Rows::new(&b, s, n));
            outer_add(level, a, b, Pick::All, RowsMut::new(&mut out, m, n));
        });
        let mut sums = vec![E::ZERO; m];
        let sum = best(|| column_sum_add(level, Rows::new(&a, s, m), &mut sums));
        println!(
            "{name:8} s {s:5} m {m:4} n {n:4}: {:9.1} µs {:7.1} GFLOP/s; column sums {:7.2} µs",
            time * 1e6,
            2e-9 * (s * m * n) as f64 / time,
            sum * 1e6
        );
    }
}

struct Map<'a, E>(u8, &'a mut [E]);

impl<E: Element> Job<E> for Map<'_, E> {
    type Out = ();
    #[inline(always)]
    fn run<V: Value<Element = E>>(self) {
        for y in self.1.chunks_exact_mut(V::LANES) {
            let x = V::load(y);
            match self.0 {
                0 => x.exp(),
                1 => x.tanh(),
                _ => x.sigmoid(),
            }
            .store(y);
        }
    }
}

fn functions<E: Element>(level: Level) {
    for (which, name) in ["exp", "tanh", "sigmoid"].into_iter().enumerate() {
        let (from, mut to) = (numbers::<E>(2048), vec![E::ZERO; 2048]);
        let copy = best(|| to.copy_from_slice(black_box(&from)));
        let time = best(|| {
            to.copy_from_slice(black_box(&from));
            level.run(Map(which as u8, &mut to));
        });
        println!(
            "{name:8} {:9} {}: {:6.3} ns an element",
            level.name(),
            E::NAME,
            (time - copy) / 2048.0 * 1e9
        );
    }
}

fn teams() {
    for threads in [1, 2] {
        let team = Team::new(threads);
        let mut items = vec![0u64; threads];
        let time = best(|| team.each(&mut items, |i| *i += 1));
        println!("team of {threads}: {:.0} ns a call", time * 1e9);
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let wants = |word: &str| arguments.iter().any(|a| a == word);
    let levels: Vec<Level> = match arguments.iter().find_map(|a| Level::by_name(a)) {
        Some(level) => vec![level],
        None => Level::available(),
    };
    let all = wants("all")
        || !["peak", "product", "outer", "functions", "team"]
            .iter()
            .any(|w| wants(w));
    for level in levels {
        if all || wants("peak") {
            println!(
                "{:9} peak f32 {:.1}, f64 {:.1} GFLOP/s",
                level.name(),
                fma_peak::<f32>(level, 0.2),
                fma_peak::<f64>(level, 0.2)
            );
        }
        if all || wants("functions") {
            functions::<f32>(level);
            functions::<f64>(level);
        }
        if all || wants("product") {
            if wants("f64") {
                products::<f64>(level)
            } else {
                products::<f32>(level)
            }
        }
        if all || wants("outer") {
            if wants("f64") {
                outers::<f64>(level)
            } else {
                outers::<f32>(level)
            }
        }
    }
    if all || wants("team") {
        teams();
    }
}
