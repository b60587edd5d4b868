//! What the measurements mean, in words with numbers, and what to change.
//!
//! The causes are tried in the order of [`Cause`]; the first that holds is the verdict, and later ones that hold as
//! well are told too. Every threshold is a constant with its reason.

use crate::{Clipping, Flow, Horizon, advice, evidence};
use serde::Serialize;

/// φ at the longest lag over φ_0 above which the gradient explodes: less is within what clipping takes in its stride.
pub const EXPLODES: f64 = 10.0;
/// Growth before the decay, above which it is called transient growth.
pub const TRANSIENT: f64 = 5.0;
/// A window that cuts the gradient off while more than this share of ‖∂L/∂W_hh‖ lies beyond it is too short.
pub const CUT_OFF: f64 = 0.2;
/// Mean φ′ below which saturation takes the gradient away, if it takes more than the weights do: over 20 steps 0.8
/// leaves 1 %.
pub const FLAT: f64 = 0.8;
/// Share of the variance (or of the baseline's loss) explained, above which a network counts as having learned.
pub const LEARNED: f64 = 0.5;
/// Below this it has learned nothing.
pub const NOTHING_LEARNED: f64 = 0.05;
/// Signal to noise of the whole batch below which its sequences do not agree on any gradient.
pub const NO_SIGNAL: f64 = 1.0;
/// Where nothing else is known, a horizon shorter than this many steps and than a quarter of the sequence is short.
pub const SHORT: f64 = 25.0;

/// Why a network learns, or does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// A number of the weights, the data or the states is NaN or infinite.
    NotANumber,
    /// The gradient is zero at every lag.
    NoGradient,
    /// The gradient grows with every step back.
    Exploding,
    /// The gradient fades because W_hh shrinks it.
    VanishingByWeights,
    /// The gradient fades because units sit where their activation is flat.
    VanishingBySaturation,
    /// The gradient would reach further back than the truncation window lets it.
    WindowLimited,
    /// The gradient grows for some steps before it fades, although no eigenvalue is above 1.
    TransientGrowth,
    /// Nothing further back would help: the task is learned with the memory there is, or holds nothing to learn.
    TaskNeedsNoLongerMemory,
    /// The gradient reaches as far as the task needs.
    Healthy,
}

impl Cause {
    /// All of them, in the order in which they are tried.
    pub const ALL: [Cause; 9] = [
        Cause::NotANumber,
        Cause::NoGradient,
        Cause::Exploding,
        Cause::VanishingByWeights,
        Cause::VanishingBySaturation,
        Cause::WindowLimited,
        Cause::TransientGrowth,
        Cause::TaskNeedsNoLongerMemory,
        Cause::Healthy,
    ];
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Cause::NotANumber => "not a number",
            Cause::NoGradient => "no gradient reaches the states",
            Cause::Exploding => "exploding",
            Cause::VanishingByWeights => "vanishing by weights",
            Cause::VanishingBySaturation => "vanishing by saturation",
            Cause::WindowLimited => "limited by the truncation window",
            Cause::TransientGrowth => "transient growth",
            Cause::TaskNeedsNoLongerMemory => "the task asks for no longer memory",
            Cause::Healthy => "healthy",
        }
    }
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.words())
    }
}

/// What is known of the training beside the measurement; all of it may be unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Training {
    /// The truncation window in steps; `None` for whole sequences.
    pub window: Option<usize>,
    /// The clip limit; `None` for no clipping.
    pub clip: Option<f64>,
    /// Gradient norms of the training's steps.
    pub norms: Option<Clipping>,
    /// 1 − loss/baseline on the data looked at: 1 is perfect, 0 no better than the baseline.
    pub explained: Option<f64>,
    /// Whether the loss is a cross-entropy, so that `explained` is a share of that and not of a variance.
    pub cross_entropy: bool,
    /// How many steps back the task is known to reach.
    pub memory: Option<usize>,
}

/// The verdict.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// The first cause that holds.
    pub cause: Cause,
    /// One line.
    pub summary: String,
    /// What it rests on, each line with its numbers.
    pub evidence: Vec<String>,
    /// What to change, the first choice first.
    pub proposals: Vec<Proposal>,
    /// Causes that hold as well.
    pub also: Vec<Cause>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Proposal {
    /// As it is typed after `elman train`.
    pub option: String,
    /// Why.
    pub why: String,
}

/// Judges a measurement.
pub fn verdict(flow: &Flow, training: &Training) -> Verdict {
    let case = Case { flow, training };
    let holding: Vec<Cause> = Cause::ALL.into_iter().filter(|&c| case.holds(c)).collect();
    let cause = holding.first().copied().unwrap_or(Cause::Healthy);
    Verdict {
        cause,
        summary: case.summary(cause),
        evidence: evidence::evidence(&case, cause),
        proposals: advice::proposals(&case, cause),
        also: holding
            .into_iter()
            .skip(1)
            .filter(|c| *c != Cause::Healthy)
            .collect(),
    }
}

/// A measurement and what is known beside it.
pub(crate) struct Case<'a> {
    pub flow: &'a Flow,
    pub training: &'a Training,
}

impl Case<'_> {
    fn holds(&self, cause: Cause) -> bool {
        let (d, last) = (&self.flow.decay, self.flow.lag.max_lag());
        // Beside these two, nothing else can be said.
        let nothing = self.flow.not_finite.is_some() || d.no_gradient();
        match cause {
            Cause::NotANumber => return self.flow.not_finite.is_some(),
            Cause::NoGradient => return d.no_gradient(),
            _ if nothing => return false,
            _ => {}
        }
        let fades = self.fades_too_soon();
        match cause {
            Cause::Exploding => {
                let broken = self.training.norms.is_some_and(|n| n.not_finite > 0.0);
                broken || (d.beta > 1.0 && self.flow.lag.ratio(last) > EXPLODES)
            }
            Cause::VanishingByWeights => fades && !self.flat(),
            Cause::VanishingBySaturation => fades && self.flat(),
            Cause::WindowLimited => self.cut_off().is_some_and(|missing| missing > CUT_OFF),
            Cause::TransientGrowth => d.peak > TRANSIENT && d.beta <= 1.0,
            Cause::TaskNeedsNoLongerMemory => self.no_more_to_learn(),
            Cause::NotANumber | Cause::NoGradient | Cause::Healthy => true,
        }
    }

    /// Steps back that the gradient should reach, where anything says so.
    pub(crate) fn needs(&self) -> Option<f64> {
        self.training.memory.map(|m| m as f64)
    }
    /// Whether the gradient falls to 1 % before what is needed, or, where nothing says what is, early on.
    fn fades_too_soon(&self) -> bool {
        let Some(horizon) = self.flow.decay.percent.at() else {
            return false;
        };
        if let Some(needs) = self.needs() {
            return horizon < needs;
        }
        let quarter = 0.25 * self.flow.lag.max_lag() as f64;
        match self.training.explained {
            // What is learned without it is not asked for.
            Some(e) if e >= LEARNED => false,
            _ => horizon < SHORT && horizon < quarter,
        }
    }
    /// Mean φ′ of the flattest layer.
    pub(crate) fn slope(&self) -> f64 {
        self.flow
            .saturation
            .iter()
            .map(|s| s.mean_slope)
            .fold(1.0, f64::min)
    }
    /// What a mean φ′ leaves of a gradient in a step: φ′ itself, but for the share that the step keeps beside it.
    fn left_by_slopes(&self) -> f64 {
        let kept = self.flow.recurrent.iter().map(|m| m.kept);
        let kept = kept.fold(1.0, f64::min);
        kept + (1.0 - kept) * self.slope()
    }
    /// The linear map of a step, as a formula.
    pub(crate) fn map(&self) -> &'static str {
        self.flow.recurrent.first().map_or("W_hh", |m| m.map)
    }
    pub fn radius(&self) -> f64 {
        self.flow
            .recurrent
            .iter()
            .map(|m| m.radius)
            .fold(0.0, f64::max)
    }
    /// Whether flat activations take more than the weights do.
    fn flat(&self) -> bool {
        let left = self.left_by_slopes();
        let by_weights = -self.radius().clamp(1e-300, 1.0).ln();
        left < FLAT && -left.max(1e-300).ln() > by_weights
    }
    /// What share of ∂L/∂W_hh the window leaves out.
    pub(crate) fn cut_off(&self) -> Option<f64> {
        let window = self.training.window.filter(|w| *w > 0)?;
        self.flow.lag.credit.as_ref()?.missing.get(window).copied()
    }
    /// Signal to noise of all measured sequences together.
    pub(crate) fn signal(&self) -> Option<f64> {
        let n = self.flow.noise.sequences as f64;
        self.flow.noise.signal_to_noise.map(|s| s * n.sqrt())
    }
    fn no_more_to_learn(&self) -> bool {
        let short = self
            .flow
            .decay
            .percent
            .at()
            .is_some_and(|h| h < 0.5 * self.flow.lag.max_lag() as f64);
        match (self.training.explained, self.signal()) {
            (Some(e), _) if e >= LEARNED => short,
            (Some(e), Some(signal)) if e < NOTHING_LEARNED => signal < NO_SIGNAL,
            _ => false,
        }
    }

    fn summary(&self, cause: Cause) -> String {
        let d = &self.flow.decay;
        let reach = match d.percent {
            Horizon::At(h) => format!("it falls to 1 % in {h:.0} steps"),
            Horizon::Beyond(longest) => format!("it is above 1 % at all {longest} lags measured"),
            Horizon::Undefined => "its horizon is undefined".into(),
        };
        let text = match cause {
            Cause::NotANumber => match &self.flow.not_finite {
                Some(found) => found.to_string(),
                None => String::new(),
            },
            Cause::NoGradient => "the gradient is exactly zero at every lag".into(),
            Cause::Exploding => format!("the gradient grows by a factor of {:.3} with every step back", d.beta),
            Cause::VanishingByWeights => format!("{} shrinks the gradient: {reach}", self.map()),
            Cause::VanishingBySaturation => format!("units sit where their activation is flat: {reach}"),
            Cause::WindowLimited => format!(
                "the window of {} steps leaves out {:.0} % of the gradient that is there",
                self.training.window.unwrap_or(0),
                100.0 * self.cut_off().unwrap_or(0.0)
            ),
            Cause::TransientGrowth => format!(
                "the gradient grows {:.1} times over {} steps before it fades",
                d.peak, d.peak_lag
            ),
            Cause::TaskNeedsNoLongerMemory => match self.training.explained {
                Some(e) if e >= LEARNED => format!("the task is learned with the memory there is; {reach}"),
                _ => "the sequences do not agree on any gradient: there is nothing to learn over time".into(),
            },
            Cause::Healthy => format!("the gradient reaches back: {reach}"),
        };
        format!("{}: {text}", cause.words())
    }
}
