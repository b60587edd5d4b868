//! Learning rates over the course of training.

use serde::{Deserialize, Serialize};

/// How the learning rate changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// It does not.
    Constant,
    /// From 0 up over the warm-up, then down half a cosine to a hundredth — I. Loshchilov and F. Hutter (2017).
    Cosine,
    /// Halved where the validation loss has not improved for five epochs.
    Plateau,
}

/// Epochs without improvement before [`Schedule::Plateau`] halves the rate.
const PATIENCE: u32 = 5;

/// A schedule and where it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    schedule: Schedule,
    peak: f64,
    warm_up: u64,
    total: u64,
    factor: f64,
    best: Option<f64>,
    waited: u32,
}

impl Rate {
    /// A schedule with learning rate `peak` over `total` steps, the first `warm_up` of them rising from 0.
    pub fn new(schedule: Schedule, peak: f64, warm_up: u64, total: u64) -> Rate {
        Rate {
            schedule,
            peak,
            warm_up,
            total,
            factor: 1.0,
            best: None,
            waited: 0,
        }
    }
    /// The learning rate of step `step`, from 0.
    pub fn at(&self, step: u64) -> f64 {
        let rising = match step < self.warm_up {
            true => (step + 1) as f64 / self.warm_up as f64,
            false => 1.0,
        };
        let falling = match self.schedule {
            Schedule::Cosine if step >= self.warm_up => {
                let after = self.total.saturating_sub(self.warm_up).max(1);
                let done = ((step - self.warm_up) as f64 / after as f64).min(1.0);
                0.01 + 0.99 * 0.5 * (1.0 + (std::f64::consts::PI * done).cos())
            }
            _ => self.factor,
        };
        self.peak * rising * falling
    }
    /// Moves its end to step `total`.
    pub fn end_after(&mut self, total: u64) {
        self.total = total;
    }
    /// Tells it an epoch's validation loss.
    pub fn saw(&mut self, loss: f64) {
        if self.best.is_none_or(|best| loss < best) {
            (self.best, self.waited) = (Some(loss), 0);
            return;
        }
        self.waited += 1;
        if self.schedule == Schedule::Plateau && self.waited >= PATIENCE {
            (self.factor, self.waited) = (self.factor * 0.5, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cosine_rises_and_falls() {
        let rate = Rate::new(Schedule::Cosine, 0.1, 10, 110);
        assert!((rate.at(0) - 0.01).abs() < 1e-12);
        assert!((rate.at(10) - 0.1).abs() < 1e-12);
        assert!((rate.at(60) - 0.1 * (0.01 + 0.99 * 0.5)).abs() < 1e-12);
        assert!((rate.at(110) - 0.001).abs() < 1e-12);
        assert!((rate.at(500) - 0.001).abs() < 1e-12);
    }
    #[test]
    fn plateau_halves() {
        let mut rate = Rate::new(Schedule::Plateau, 0.1, 0, 0);
        rate.saw(1.0);
        (0..5).for_each(|_| rate.saw(1.0));
        assert_eq!(rate.at(7), 0.05);
        rate.saw(0.5);
        (0..4).for_each(|_| rate.saw(0.6));
        assert_eq!(rate.at(7), 0.05);
    }
}
