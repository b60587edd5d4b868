//! exp, tanh and sigmoid on every `f32` there is, at every level of this processor, against `f64`.
//!
//! `cargo run --release -p elman-kernels --example every_f32`
//!
//! For each function and level: the largest error in units in the last place and where, and how often a larger x
//! gave a smaller result. tanh is also checked to be odd, and all for NaN.

use elman_kernels::{Job, Level, Value};

const CHUNK: usize = 1 << 16;

#[derive(Clone, Copy)]
enum Function {
    Exp,
    Tanh,
    Sigmoid,
}

struct Map<'a>(Function, &'a [f32], &'a mut [f32]);

impl Job<f32> for Map<'_> {
    type Out = ();
    #[inline(always)]
    fn run<V: Value<Element = f32>>(self) {
        for (x, y) in self.1.chunks(V::LANES).zip(self.2.chunks_mut(V::LANES)) {
            let x = V::load_part(x);
            match self.0 {
                Function::Exp => x.exp(),
                Function::Tanh => x.tanh(),
                Function::Sigmoid => x.sigmoid(),
            }
            .store_part(y);
        }
    }
}

fn exact(function: Function, x: f32) -> f64 {
    let x = f64::from(x);
    match function {
        Function::Exp => x.exp(),
        Function::Tanh => x.tanh(),
        Function::Sigmoid if x < 0.0 => x.exp() / (1.0 + x.exp()),
        Function::Sigmoid => 1.0 / (1.0 + (-x).exp()),
    }
}

/// Distance in units of the last place that an `f32` of the size of `right` has.
fn ulps(got: f32, right: f64) -> f64 {
    if f64::from(got) == right || got == right as f32 && got.is_infinite() {
        return 0.0;
    }
    let exponent = (right.abs().to_bits() >> 52) as i32 - 1023;
    let unit = f64::powi(2.0, exponent.clamp(-126, 127) - 23);
    (f64::from(got) - right).abs() / unit
}

#[derive(Clone, Copy, Default)]
struct Found {
    worst: f64,
    at: f32,
    falls: u64,
    fall_at: f32,
    wrong: u64,
    last: Option<f32>,
}

/// All numbers of one sign, from zero to infinity and through NaN.
fn sweep(function: Function, negative: bool, levels: &[Level]) -> Vec<Found> {
    let sign = u32::from(negative) << 31;
    let mut found = vec![Found::default(); levels.len()];
    let (mut x, mut y, mut right) = (vec![0.0; CHUNK], vec![0.0; CHUNK], vec![0.0; CHUNK]);
    let mut mirrored = vec![0.0; CHUNK];
    for from in (0..1u32 << 31).step_by(CHUNK) {
        for (i, x) in x.iter_mut().enumerate() {
            *x = f32::from_bits(sign | (from + i as u32));
        }
        for (right, &x) in right.iter_mut().zip(&x) {
            *right = exact(function, x);
        }
        for (found, level) in found.iter_mut().zip(levels) {
            level.run(Map(function, &x, &mut y));
            if matches!(function, Function::Tanh) {
                let minus: Vec<f32> = x.iter().map(|x| -x).collect();
                level.run(Map(function, &minus, &mut mirrored));
                let odd = |(a, b): (&f32, &f32)| a.is_nan() || a.to_bits() == (-b).to_bits();
                found.wrong += y.iter().zip(&mirrored).filter(|&p| !odd(p)).count() as u64;
            }
            for i in 0..CHUNK {
                if x[i].is_nan() {
                    found.wrong += u64::from(!y[i].is_nan());
                    continue;
                }
                let error = ulps(y[i], right[i]);
                if error.is_nan() || error > found.worst {
                    (found.worst, found.at) = (error, x[i]);
                }
                if let Some(last) = found.last
                    && (if negative { y[i] > last } else { y[i] < last })
                {
                    found.falls += 1;
                    found.fall_at = x[i];
                }
                found.last = Some(y[i]);
            }
        }
    }
    found
}

fn main() {
    let levels = Level::available();
    for (name, function) in [
        ("exp", Function::Exp),
        ("tanh", Function::Tanh),
        ("sigmoid", Function::Sigmoid),
    ] {
        let halves: Vec<Vec<Found>> = std::thread::scope(|scope| {
            let runs: Vec<_> = [false, true]
                .map(|negative| {
                    scope.spawn({
                        let levels = &levels;
                        move || sweep(function, negative, levels)
                    })
                })
                .into_iter()
                .collect();
            runs.into_iter()
                .map(|r| r.join().expect("no panic"))
                .collect()
        });
        for (i, level) in levels.iter().enumerate() {
            let (a, b) = (halves[0][i], halves[1][i]);
            let worst = if a.worst >= b.worst { a } else { b };
            println!(
                "{name:8} {:9} {:.3} ulp at {:e}; falls {} (at {:e}), {} (at {:e}); wrong {}",
                level.name(),
                worst.worst,
                worst.at,
                a.falls,
                a.fall_at,
                b.falls,
                b.fall_at,
                a.wrong + b.wrong,
            );
        }
    }
}
