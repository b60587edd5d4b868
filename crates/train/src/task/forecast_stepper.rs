//! A trained forecaster that is fed one row of its columns at a time.

use super::ForecastModel;
use crate::Error;
use crate::data::Scaler;
use elman_core::Stepper;

/// A forecaster with its state. After construction nothing is allocated.
#[derive(Clone, Debug)]
pub struct ForecastStepper {
    stepper: Stepper<f32>,
    scaler: Scaler,
    change: bool,
    x: Vec<f32>,
    y: Vec<f32>,
}

impl ForecastStepper {
    pub(super) fn new(stepper: Stepper<f32>, scaler: Scaler, change: bool) -> ForecastStepper {
        let width = scaler.columns.len();
        ForecastStepper {
            stepper,
            scaler,
            change,
            x: vec![0.0; width],
            y: vec![0.0; width],
        }
    }
    /// Reads the columns of one row, in their units, and writes those forecast for the next: to the bit what
    /// [`ForecastModel::one_step`] says there of the target, the first of them. An error where either is not of as
    /// many numbers as there are columns.
    pub fn step(&mut self, now: &[f64], next: &mut [f64]) -> Result<(), Error> {
        let width = self.x.len();
        for (what, len) in [("the row", now.len()), ("the forecast", next.len())] {
            if len != width {
                return Err(Error::Config(format!(
                    "{what} has {len} numbers, and the model has {width} columns"
                )));
            }
        }
        for (c, (x, &value)) in self.x.iter_mut().zip(now).enumerate() {
            *x = self.scaler.forward(c, value) as f32;
        }
        self.stepper.step(&self.x, &mut self.y)?;
        for (c, next) in next.iter_mut().enumerate() {
            let said = ForecastModel::next(self.change, self.x[c], self.y[c]);
            *next = self.scaler.inverse(c, f64::from(said));
        }
        Ok(())
    }
    /// Back to the state before the first row.
    pub fn reset(&mut self) {
        self.stepper.reset();
    }
}
