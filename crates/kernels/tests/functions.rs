//! exp, tanh and sigmoid at every level: accuracy, ends, symmetry, and the same bits in every lane.

mod double;
mod small;

use double::Double;
use elman_kernels::{Element, Job, Level, Value};
use small::small;

#[derive(Clone, Copy, Debug)]
enum Function {
    Exp,
    Tanh,
    Sigmoid,
}
const ALL: [Function; 3] = [Function::Exp, Function::Tanh, Function::Sigmoid];

struct Map<'a, E> {
    function: Function,
    twice: bool,
    x: &'a [E],
    y: &'a mut [E],
}

impl<E: Element> Map<'_, E> {
    #[inline(always)]
    fn with<V: Value<Element = E>>(self) {
        for (x, y) in self.x.chunks(V::LANES).zip(self.y.chunks_mut(V::LANES)) {
            let x = V::load_part(x);
            match self.function {
                Function::Exp => x.exp(),
                Function::Tanh => x.tanh(),
                Function::Sigmoid => x.sigmoid(),
            }
            .store_part(y);
        }
    }
}

impl<E: Element> Job<E> for Map<'_, E> {
    type Out = ();
    #[inline(always)]
    fn run<V: Value<Element = E>>(self) {
        match self.twice {
            false => self.with::<V>(),
            true => self.with::<V::Twice>(),
        }
    }
}

fn map<E: Element>(level: Level, function: Function, x: &[E]) -> Vec<E> {
    map_with(level, function, false, x)
}

fn map_with<E: Element>(level: Level, function: Function, twice: bool, x: &[E]) -> Vec<E> {
    let mut y = vec![E::ZERO; x.len()];
    level.run(Map {
        function,
        twice,
        x,
        y: &mut y,
    });
    y
}

/// Two vectors as one give the bits of each alone, to the last of a row that they do not fill.
#[test]
fn two_vectors_as_one() {
    fn check<E: Element>(mut x: Vec<E>) {
        x.push(E::of(f64::NAN));
        for level in Level::available() {
            for function in ALL {
                for len in (0..x.len().min(80)).chain([x.len()]) {
                    let x = &x[x.len() - len..];
                    let bits = |y: Vec<E>| y.iter().map(|y| format!("{y:?}")).collect::<Vec<_>>();
                    let (one, two) = (
                        map_with(level, function, false, x),
                        map_with(level, function, true, x),
                    );
                    assert_eq!(bits(one), bits(two), "{function:?} at {}", level.name());
                }
            }
        }
    }
    check(
        sample_f32()
            .into_iter()
            .step_by(if small() { 4 } else { 50 })
            .collect(),
    );
    check(
        sample_f64()
            .into_iter()
            .step_by(if small() { 4 } else { 50 })
            .collect(),
    );
}

/// A sample of all sizes: every 9973rd bit pattern.
fn sample_f32() -> Vec<f32> {
    let step = if small() { 9_973_001 } else { 9973 };
    let all = (0..=u32::MAX).step_by(step).map(f32::from_bits);
    all.filter(|x| !x.is_nan()).collect()
}

/// Sizes from the smallest to the largest, and densely where the functions bend.
fn sample_f64() -> Vec<f64> {
    let mut x: Vec<f64> = (0..20_000u64)
        .map(|i| f64::from_bits(i * (0x7FF0_0000_0000_0000 / 20_000) + i * i % 997))
        .collect();
    x.extend((0..40_000).map(|i| f64::from(i) * 9.7e-4));
    x.extend((0..40_000).map(|i| f64::from(i) * 1.9e-2));
    let negative: Vec<f64> = x.iter().map(|x| -x).collect();
    x.extend(negative);
    let step = if small() { 1009 } else { 1 };
    x.into_iter().step_by(step).collect()
}

fn ulps(error: f64, right: f64, digits: i32, smallest: i32) -> f64 {
    let exponent = (right.abs().to_bits() >> 52) as i32 - 1023;
    let unit = exponent.clamp(smallest, 1023) - digits;
    // In two factors, since 2^1074 is no `f64`.
    error.abs() * f64::powi(2.0, -unit / 2) * f64::powi(2.0, -unit - -unit / 2)
}

#[test]
fn f32_within_four_ulp() {
    let x = sample_f32();
    for level in Level::available() {
        for function in ALL {
            for (x, y) in x.iter().zip(map(level, function, &x)) {
                let wide = f64::from(*x);
                let right = match function {
                    Function::Exp => wide.exp(),
                    Function::Tanh => wide.tanh(),
                    Function::Sigmoid if wide < 0.0 => wide.exp() / (1.0 + wide.exp()),
                    Function::Sigmoid => 1.0 / (1.0 + (-wide).exp()),
                };
                let same = y == right as f32;
                let error = f64::from(y) - right;
                assert!(
                    same || ulps(error, right, 23, -126) <= 4.0,
                    "{level:?} {function:?} {x:e}: {y:e}"
                );
            }
        }
    }
}

#[test]
fn f64_within_four_ulp() {
    let x = sample_f64();
    for function in ALL {
        let exact: Vec<Double> = match function {
            Function::Exp => x.iter().map(|&x| Double::exp(x)).collect(),
            Function::Tanh => x.iter().map(|&x| Double::tanh(x)).collect(),
            Function::Sigmoid => x.iter().map(|&x| Double::sigmoid(x)).collect(),
        };
        for level in Level::available() {
            let mut worst = (0.0, 0.0);
            for ((&x, right), y) in x.iter().zip(&exact).zip(map(level, function, &x)) {
                if y == right.high {
                    continue;
                }
                let error = ulps(right.minus(y), right.high, 52, -1022);
                assert!(
                    error <= 4.0,
                    "{level:?} {function:?} {x:e}: {y:e}, {error} ulp"
                );
                if error > worst.0 {
                    worst = (error, x);
                }
            }
            println!(
                "{} {function:?} f64: {:.3} ulp at {:e}",
                level.name(),
                worst.0,
                worst.1
            );
        }
    }
}

#[test]
fn rising_odd_and_exact_at_the_ends() {
    fn check<E: Element>(x: &mut [E]) {
        x.sort_by(|a, b| a.partial_cmp(b).expect("no NaN"));
        let minus: Vec<E> = x.iter().map(|&x| -x).collect();
        for level in Level::available() {
            for function in ALL {
                let y = map(level, function, x);
                for i in 1..x.len() {
                    assert!(y[i - 1] <= y[i], "{level:?} {function:?} falls at {}", x[i]);
                }
                let (low, high) = match function {
                    Function::Exp => (E::ZERO, E::of(f64::INFINITY)),
                    Function::Tanh => (-E::ONE, E::ONE),
                    Function::Sigmoid => (E::ZERO, E::ONE),
                };
                assert!(y[0] == low && y[y.len() - 1] == high);
                if matches!(function, Function::Tanh) {
                    let back = map(level, function, &minus);
                    assert!(y.iter().zip(&back).all(|(&a, &b)| a == -b));
                }
            }
        }
    }
    let mut x = sample_f32();
    x.extend([f32::INFINITY, f32::NEG_INFINITY]);
    check(&mut x);
    let mut x = sample_f64();
    x.extend([f64::INFINITY, f64::NEG_INFINITY]);
    check(&mut x);
}

#[test]
fn zero_keeps_its_sign_and_nan_passes() {
    for level in Level::available() {
        let y = map(
            level,
            Function::Tanh,
            &[0.0f32, -0.0, f32::NAN, 1e-45, -1e-45],
        );
        assert_eq!(y[0].to_bits(), 0.0f32.to_bits());
        assert_eq!(y[1].to_bits(), (-0.0f32).to_bits());
        assert_eq!((y[3], y[4]), (1e-45, -1e-45));
        let y = map(level, Function::Tanh, &[0.0f64, -0.0, 5e-324]);
        assert_eq!(y[1].to_bits(), (-0.0f64).to_bits());
        assert_eq!(y[2], 5e-324);
        for function in ALL {
            assert!(map(level, function, &[f32::NAN])[0].is_nan());
            assert!(
                map(level, function, &[f64::NAN, -f64::NAN])
                    .iter()
                    .all(|y| y.is_nan())
            );
        }
        assert_eq!(map(level, Function::Exp, &[0.0f32])[0], 1.0);
        assert_eq!(map(level, Function::Sigmoid, &[0.0f32, -0.0]), [0.5, 0.5]);
    }
}

/// The same x gives the same bits wherever it stands: a step of one row is a step of many.
#[test]
fn lanes_agree() {
    fn check<E: Element>(x: &[E]) {
        for level in Level::available() {
            for function in ALL {
                let together = map(level, function, x);
                for (i, y) in together.iter().enumerate() {
                    assert!(map(level, function, &x[i..=i])[0] == *y);
                    let from = i.saturating_sub(i % 7);
                    assert!(map(level, function, &x[from..=i])[i - from] == *y);
                }
            }
        }
    }
    let mut x: Vec<f64> = (0..1000)
        .map(|i| (f64::from(i) * 0.73).sin() * 12.0)
        .collect();
    x.extend([1e-30, -1e-30, 88.0, -88.0, 100.0, -100.0]);
    check(&x);
    check(&x.iter().map(|&x| x as f32).collect::<Vec<_>>());
}

/// The arithmetic of [`Value`] means what it says, at every level.
#[test]
fn arithmetic() {
    struct Check<E>(Vec<E>);
    impl<E: Element> Job<E> for Check<E> {
        type Out = ();
        #[inline(always)]
        fn run<V: Value<Element = E>>(self) {
            self.with::<V>();
            self.with::<V::Twice>();
        }
    }
    impl<E: Element> Check<E> {
        #[inline(always)]
        fn with<V: Value<Element = E>>(&self) {
            let give = |v: V| {
                let mut to = vec![E::ZERO; V::LANES];
                v.store(&mut to);
                to
            };
            let n = V::LANES;
            for part in self.0.windows(2 * n) {
                let (a, b) = (V::load(part), V::load(&part[n..]));
                let (x, y) = (&part[..n], &part[n..]);
                for i in 0..n {
                    assert!(give(a + b)[i] == x[i] + y[i]);
                    assert!(give(a - b)[i] == x[i] - y[i]);
                    assert!(give(a * b)[i] == x[i] * y[i]);
                    assert!(give(a / b)[i] == x[i] / y[i]);
                    assert!(give(-a)[i] == -x[i]);
                    assert!(give(a.max(b))[i] == if x[i] < y[i] { y[i] } else { x[i] });
                    assert!(give(a.positive())[i] == if x[i] > E::ZERO { E::ONE } else { E::ZERO });
                    let sum = (x[i] * y[i] + y[i]).to_f64();
                    assert!(
                        (give(a.mul_add(b, b))[i].to_f64() - sum).abs() <= 1e-5 * sum.abs() + 1e-6
                    );
                }
                for count in 0..=n {
                    let v = V::load_part(&part[..count]);
                    for (i, &got) in give(v).iter().enumerate() {
                        assert!(got == if i < count { x[i] } else { E::ZERO });
                    }
                    let mut to = vec![E::of(7.0); n + 2];
                    b.store_part(&mut to[1..=count]);
                    for (i, &got) in to.iter().enumerate() {
                        let inside = i > 0 && i <= count;
                        assert!(got == if inside { y[i - 1] } else { E::of(7.0) });
                    }
                }
            }
            assert!(give(V::of(E::of(f64::NAN).to_f64()).max(V::ZERO))[0] != E::ZERO);
            assert!(give(V::ONE)[n - 1] == E::ONE && give(V::ZERO)[n - 1] == E::ZERO);
        }
    }
    let x: Vec<f64> = (0..100)
        .map(|i| (f64::from(i) * 0.37).sin() * 3.0)
        .collect();
    for level in Level::available() {
        level.run(Check(x.clone()));
        level.run(Check(x.iter().map(|&x| x as f32).collect::<Vec<_>>()));
        assert_eq!(Level::by_name(level.name()), Some(level));
    }
    assert_eq!(Level::by_name("abacus"), None);
}
