//! Losses: the mean per counted number of what the outputs miss, and its gradient.
//!
//! Outputs and targets are packed (`[Σ B_t, width]`), so no padded step is ever there; a weight of 0 leaves out a
//! step that is there (burn-in, or a target that is not known).

use crate::Error;
use elman_core::{Job, Level, Value};
use serde::{Deserialize, Serialize};

/// What is minimised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// ½-free mean squared error: (y − t)².
    Mse,
    /// Huber with its corner at 1: ½ d² where |d| ≤ 1, else |d| − ½.
    Huber,
    /// −log of the softmax of y at the class, one class of `width` for each step.
    CrossEntropy,
    /// −t log σ(y) − (1 − t) log(1 − σ(y)), for each number, t from 0 to 1.
    BinaryCrossEntropy,
}

/// What the outputs of a batch should have been, packed like them.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// Numbers `[Σ B_t, width]`.
    Numbers(Vec<f32>),
    /// One class for each step `[Σ B_t]`.
    Classes(Vec<u32>),
}

/// The sum of a loss, and over how many numbers (or classes).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sum {
    /// Σ loss.
    pub loss: f64,
    /// How many were counted.
    pub count: f64,
}

impl Sum {
    /// The mean per counted number; NaN where none was.
    pub fn mean(&self) -> f64 {
        self.loss / self.count
    }
    /// Adds another sum.
    pub fn add(&mut self, other: Sum) {
        self.loss += other.loss;
        self.count += other.count;
    }
}

impl Loss {
    /// The loss of `outputs` `[n, width]` and, into `d_outputs`, the gradient of its mean. `counted` `[n]` is 1 for
    /// steps that count and 0 for those that do not; their gradient is 0. Errors where sizes disagree, where a class
    /// is not below `width`, or where the targets are of the other kind.
    pub fn evaluate(
        self,
        outputs: &[f32],
        width: usize,
        target: &Target,
        counted: &[f32],
        d_outputs: &mut [f32],
    ) -> Result<Sum, Error> {
        let n = counted.len();
        let fits = match target {
            Target::Numbers(t) => t.len() == n * width,
            Target::Classes(t) => t.len() == n && t.iter().all(|&c| (c as usize) < width),
        };
        if outputs.len() != n * width || d_outputs.len() != n * width || !fits {
            return Err(Error::Internal(format!(
                "{} outputs and {n} steps of {width}, or a class beyond them, do not fit the targets",
                outputs.len()
            )));
        }
        let steps: f64 = counted.iter().map(|&c| f64::from(c)).sum();
        let mut sum = Sum::default();
        match (self, target) {
            (Loss::CrossEntropy, Target::Classes(classes)) => {
                sum.count = steps;
                sum.loss = cross_entropy(outputs, width, classes, counted, d_outputs, steps);
            }
            (Loss::CrossEntropy, Target::Numbers(_)) | (_, Target::Classes(_)) => {
                return Err(Error::Internal(format!(
                    "{self:?} does not go with these targets"
                )));
            }
            (_, Target::Numbers(numbers)) => {
                sum.count = steps * width as f64;
                let share = 1.0 / sum.count.max(1.0);
                let rows = outputs.chunks_exact(width).zip(numbers.chunks_exact(width));
                let rows = rows.zip(d_outputs.chunks_exact_mut(width)).zip(counted);
                for (((y, t), d), &counts) in rows {
                    if counts == 0.0 {
                        d.fill(0.0);
                        continue;
                    }
                    for ((&y, &t), d) in y.iter().zip(t).zip(d) {
                        let (loss, slope) = self.of_one(f64::from(y), f64::from(t));
                        sum.loss += loss;
                        *d = (slope * share) as f32;
                    }
                }
            }
        }
        Ok(sum)
    }

    /// The loss of one number and its derivative.
    fn of_one(self, y: f64, t: f64) -> (f64, f64) {
        let d = y - t;
        match self {
            Loss::Mse => (d * d, 2.0 * d),
            Loss::Huber if d.abs() <= 1.0 => (0.5 * d * d, d),
            Loss::Huber => (d.abs() - 0.5, d.signum()),
            // log(1 + e^y) − t y, without overflow.
            _ => (
                y.max(0.0) + (-y.abs()).exp().ln_1p() - t * y,
                1.0 / (1.0 + (-y).exp()) - t,
            ),
        }
    }
}

/// Leaves (softmax(y) − one-hot) / steps in `d`; returns Σ −log softmax(y)[class].
fn cross_entropy(
    outputs: &[f32],
    width: usize,
    classes: &[u32],
    counted: &[f32],
    d_outputs: &mut [f32],
    steps: f64,
) -> f64 {
    let share = (1.0 / steps.max(1.0)) as f32;
    let level = Level::best();
    let mut loss = 0.0;
    let rows = outputs
        .chunks_exact(width)
        .zip(d_outputs.chunks_exact_mut(width));
    for (((y, d), &class), &counts) in rows.zip(classes).zip(counted) {
        if counts == 0.0 {
            d.fill(0.0);
            continue;
        }
        let top = y.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        level.run(Exponentials { y, top, to: d });
        let sum = sum_of(d);
        loss += f64::from(sum).ln() + f64::from(top) - f64::from(y[class as usize]);
        let scale = share / sum;
        d.iter_mut().for_each(|p| *p *= scale);
        d[class as usize] -= share;
    }
    loss
}

/// softmax(y / temperature), in place.
pub fn softmax(y: &mut [f32], temperature: f32) {
    y.iter_mut().for_each(|x| *x /= temperature);
    let top = y.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let from = y.to_vec();
    Level::best().run(Exponentials {
        y: &from,
        top,
        to: y,
    });
    let sum = sum_of(y);
    y.iter_mut().for_each(|p| *p /= sum);
}

/// A sum in sixteen strands, always the same ones.
fn sum_of(x: &[f32]) -> f32 {
    let mut strands = [0.0f32; 16];
    for chunk in x.chunks(16) {
        strands.iter_mut().zip(chunk).for_each(|(s, &x)| *s += x);
    }
    strands.iter().sum()
}

/// `to = exp(y − top)`
struct Exponentials<'a> {
    y: &'a [f32],
    top: f32,
    to: &'a mut [f32],
}

impl Job<f32> for Exponentials<'_> {
    type Out = ();
    #[inline(always)]
    fn run<V: Value<Element = f32>>(self) {
        let top = V::splat(self.top);
        let whole = self.y.len() - self.y.len() % V::LANES;
        let (y, y_end) = self.y.split_at(whole);
        let (to, to_end) = self.to.split_at_mut(whole);
        for (y, to) in y.chunks_exact(V::LANES).zip(to.chunks_exact_mut(V::LANES)) {
            (V::load(y) - top).exp().store(to);
        }
        (V::load_part(y_end) - top).exp().store_part(to_end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Central differences of a loss in f32 outputs.
    fn check(loss: Loss, target: Target, width: usize) {
        let outputs: Vec<f32> = (0..6 * width)
            .map(|i| ((i * 37 % 23) as f32 - 11.0) / 5.0)
            .collect();
        let counted = [1.0, 0.0, 1.0, 1.0, 0.0, 1.0];
        let mut d = vec![9.0; outputs.len()];
        let mut spare = d.clone();
        let mut mean = |y: &[f32]| {
            let sum = loss
                .evaluate(y, width, &target, &counted, &mut spare)
                .unwrap();
            sum.mean()
        };
        for i in 0..outputs.len() {
            let (mut up, mut down) = (outputs.clone(), outputs.clone());
            up[i] += 1.0 / 64.0;
            down[i] -= 1.0 / 64.0;
            let numeric = (mean(&up) - mean(&down)) * 32.0;
            loss.evaluate(&outputs, width, &target, &counted, &mut d)
                .unwrap();
            assert!(
                (numeric - f64::from(d[i])).abs() < 1e-4,
                "{loss:?} {i}: {numeric} {}",
                d[i]
            );
        }
    }

    #[test]
    fn gradients() {
        let numbers = |f: fn(usize) -> f32| Target::Numbers((0..18).map(f).collect());
        check(Loss::Mse, numbers(|i| (i as f32).sin()), 3);
        // No difference reaches across the corner, where the slope bends.
        check(Loss::Huber, numbers(|i| (i as f32).sin()), 3);
        check(Loss::BinaryCrossEntropy, numbers(|i| (i % 2) as f32), 3);
        check(
            Loss::CrossEntropy,
            Target::Classes(vec![0, 1, 2, 2, 1, 0]),
            3,
        );
        let classes = Target::Classes(vec![0, 18, 2, 16, 1, 15]);
        check(Loss::CrossEntropy, classes, 19);
    }
    #[test]
    fn a_class_beyond_the_outputs_is_an_error() {
        let target = Target::Classes(vec![3]);
        let wrong = Loss::CrossEntropy.evaluate(&[0.0; 3], 3, &target, &[1.0], &mut [0.0; 3]);
        assert!(wrong.is_err());
    }
    #[test]
    fn softmax_adds_up() {
        let mut y: Vec<f32> = (0..21).map(|i| i as f32 * 30.0).collect();
        softmax(&mut y, 2.0);
        assert!((y.iter().sum::<f32>() - 1.0).abs() < 1e-6 && y[20] > 0.999);
    }
}
