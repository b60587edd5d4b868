//! Optimisers: loops over the flat buffer of parameters, in PyTorch's forms, and clipping.

use elman_core::Element;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Which optimiser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// v ← μ v + g; w ← w − η v. Momentum μ — B. Polyak (1964).
    Sgd,
    /// s ← 0.99 s + 0.01 g²; w ← w − η g / (√s + ε). G. Hinton's lecture (2012).
    RmsProp,
    /// Moments of g and g², with their bias taken out — D. Kingma and J. Ba (2015).
    Adam,
    /// Adam with weights shrunk by η λ apart from the gradient — I. Loshchilov and F. Hutter (2019).
    AdamW,
}

/// An optimiser and what it remembers.
#[derive(Clone, Debug)]
pub struct Optimiser<E> {
    method: Method,
    momentum: f64,
    weight_decay: f64,
    /// Places of the flat buffer that weight decay shrinks.
    decayed: Vec<Range<usize>>,
    /// Steps made.
    steps: u64,
    moments: Vec<Vec<E>>,
}

impl<E: Element> Optimiser<E> {
    /// One for `parameters` numbers. `momentum` is for SGD. Weight decay λ shrinks the places in `decayed`: through the
    /// gradient (g + λ w), and apart from it in AdamW.
    pub fn new(
        method: Method,
        momentum: f64,
        weight_decay: f64,
        decayed: Vec<Range<usize>>,
        parameters: usize,
    ) -> Self {
        let count = match method {
            Method::Sgd | Method::RmsProp => 1,
            Method::Adam | Method::AdamW => 2,
        };
        Optimiser {
            method,
            momentum,
            weight_decay,
            decayed,
            steps: 0,
            moments: vec![vec![E::ZERO; parameters]; count],
        }
    }
    /// Steps made so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }
    /// What it remembers of past gradients: one or two buffers of the parameters' layout.
    pub fn moments(&self) -> &[Vec<E>] {
        &self.moments
    }
    /// Takes back what [`steps`](Self::steps) and [`moments`](Self::moments) gave; `false` where they do not fit.
    pub fn restore(&mut self, steps: u64, moments: Vec<Vec<E>>) -> bool {
        let same = |(a, b): (&Vec<E>, &Vec<E>)| a.len() == b.len();
        let fits = moments.len() == self.moments.len();
        if !fits || !moments.iter().zip(&self.moments).all(same) {
            return false;
        }
        (self.steps, self.moments) = (steps, moments);
        true
    }
    /// One step at learning rate `rate`; may change `gradient`.
    pub fn step(&mut self, rate: f64, params: &mut [E], gradient: &mut [E]) {
        self.steps += 1;
        if self.weight_decay != 0.0 {
            for range in &self.decayed {
                let pairs = params[range.clone()].iter_mut();
                for (w, g) in pairs.zip(&mut gradient[range.clone()]) {
                    match self.method {
                        Method::AdamW => *w *= E::of(1.0 - rate * self.weight_decay),
                        _ => *g += E::of(self.weight_decay) * *w,
                    }
                }
            }
        }
        let root = |x: E| E::of(x.to_f64().sqrt());
        let eps = E::of(1e-8);
        let (first, second) = self.moments.split_at_mut(1);
        let weights = params.iter_mut().zip(gradient.iter()).zip(&mut first[0]);
        match self.method {
            Method::Sgd => {
                let (momentum, rate) = (E::of(self.momentum), E::of(rate));
                for ((w, &g), v) in weights {
                    *v = momentum * *v + g;
                    *w -= rate * *v;
                }
            }
            Method::RmsProp => {
                let (keep, take, rate) = (E::of(0.99), E::of(0.01), E::of(rate));
                for ((w, &g), s) in weights {
                    *s = keep * *s + take * g * g;
                    *w -= rate * g / (root(*s) + eps);
                }
            }
            Method::Adam | Method::AdamW => {
                let n = self.steps as f64;
                let (b1, b2) = (0.9f64, 0.999f64);
                let rate = E::of(rate / (1.0 - b1.powf(n)));
                let unbias = E::of(1.0 / (1.0 - b2.powf(n)).sqrt());
                let (k1, t1, k2, t2) = (E::of(b1), E::of(1.0 - b1), E::of(b2), E::of(1.0 - b2));
                for (((w, &g), m), v) in weights.zip(&mut second[0]) {
                    *m = k1 * *m + t1 * g;
                    *v = k2 * *v + t2 * g * g;
                    *w -= rate * *m / (root(*v) * unbias + eps);
                }
            }
        }
    }
}

/// ‖g‖₂, summed in f64.
pub fn norm<E: Element>(gradient: &[E]) -> f64 {
    let squares = gradient.iter().map(|g| g.to_f64() * g.to_f64());
    squares.sum::<f64>().sqrt()
}

/// Shortens the gradient to `max` where its norm is larger — R. Pascanu, T. Mikolov and Y. Bengio (2013). Returns
/// the norm before. As PyTorch: the factor is max / (norm + 1e-6).
pub fn clip_norm<E: Element>(gradient: &mut [E], max: f64) -> f64 {
    let norm = norm(gradient);
    if norm > max {
        let factor = E::of(max / (norm + 1e-6));
        gradient.iter_mut().for_each(|g| *g *= factor);
    }
    norm
}

/// Holds every number of the gradient within ±`max`.
pub fn clip_value<E: Element>(gradient: &mut [E], max: f64) {
    let (low, high) = (E::of(-max), E::of(max));
    for g in gradient {
        if *g > high {
            *g = high;
        } else if *g < low {
            *g = low;
        }
    }
}
