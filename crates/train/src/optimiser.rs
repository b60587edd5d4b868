//! Optimisers: loops over the flat buffer of parameters, in PyTorch's forms, and clipping.

use elman_core::{Element, Job, Level, Value};
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
        let (first, second) = self.moments.split_at_mut(1);
        let first = first[0].as_mut_slice();
        let level = Level::best();
        match self.method {
            Method::Sgd => {
                let (momentum, rate) = (E::of(self.momentum), E::of(rate));
                for ((w, &g), v) in params.iter_mut().zip(gradient.iter()).zip(first) {
                    *v = momentum * *v + g;
                    *w -= rate * *v;
                }
            }
            Method::RmsProp => level.run(Squares {
                rate,
                params,
                gradient,
                squares: first,
            }),
            Method::Adam | Method::AdamW => {
                let n = self.steps as f64;
                level.run(Moments {
                    rate: rate / (1.0 - MEAN.powf(n)),
                    unbias: 1.0 / (1.0 - SQUARE.powf(n)).sqrt(),
                    params,
                    gradient,
                    mean: first,
                    square: &mut second[0],
                })
            }
        }
    }
}

/// Keeps denominators from 0.
const EPSILON: f64 = 1e-8;
/// How much of the mean of gradients Adam keeps: β₁.
const MEAN: f64 = 0.9;
/// How much of the mean of their squares it keeps: β₂.
const SQUARE: f64 = 0.999;
/// The same of RMSProp.
const RMS: f64 = 0.99;

/// A step of Adam. Products and sums are rounded one by one, so that every level gives the same bits.
struct Moments<'a, E> {
    rate: f64,
    unbias: f64,
    params: &'a mut [E],
    gradient: &'a [E],
    mean: &'a mut [E],
    square: &'a mut [E],
}

impl<E: Element> Job<E> for Moments<'_, E> {
    type Out = ();
    #[inline(always)]
    fn run<V: Value<Element = E>>(self) {
        let (rate, unbias, eps) = (V::of(self.rate), V::of(self.unbias), V::of(EPSILON));
        let (k1, t1) = (V::of(MEAN), V::of(1.0 - MEAN));
        let (k2, t2) = (V::of(SQUARE), V::of(1.0 - SQUARE));
        let n = self.params.len();
        let mut from = 0;
        while from < n {
            let to = (from + V::LANES).min(n);
            let g = V::load_part(&self.gradient[from..to]);
            let m = k1 * V::load_part(&self.mean[from..to]) + t1 * g;
            let v = k2 * V::load_part(&self.square[from..to]) + t2 * g * g;
            let w = V::load_part(&self.params[from..to]) - rate * m / (v.sqrt() * unbias + eps);
            m.store_part(&mut self.mean[from..to]);
            v.store_part(&mut self.square[from..to]);
            w.store_part(&mut self.params[from..to]);
            from = to;
        }
    }
}

/// A step of RMSProp, rounded as one of Adam.
struct Squares<'a, E> {
    rate: f64,
    params: &'a mut [E],
    gradient: &'a [E],
    squares: &'a mut [E],
}

impl<E: Element> Job<E> for Squares<'_, E> {
    type Out = ();
    #[inline(always)]
    fn run<V: Value<Element = E>>(self) {
        let (rate, eps) = (V::of(self.rate), V::of(EPSILON));
        let (keep, take) = (V::of(RMS), V::of(1.0 - RMS));
        let n = self.params.len();
        let mut from = 0;
        while from < n {
            let to = (from + V::LANES).min(n);
            let g = V::load_part(&self.gradient[from..to]);
            let s = keep * V::load_part(&self.squares[from..to]) + take * g * g;
            let w = V::load_part(&self.params[from..to]) - rate * g / (s.sqrt() + eps);
            s.store_part(&mut self.squares[from..to]);
            w.store_part(&mut self.params[from..to]);
            from = to;
        }
    }
}

/// ‖g‖₂, summed in f64.
pub fn norm<E: Element>(gradient: &[E]) -> f64 {
    // In eight strands, always the same ones: one after another, each sum would wait for the last.
    let mut strands = [0.0f64; 8];
    for chunk in gradient.chunks(8) {
        let pairs = strands.iter_mut().zip(chunk);
        pairs.for_each(|(s, g)| *s += g.to_f64() * g.to_f64());
    }
    strands.iter().sum::<f64>().sqrt()
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
