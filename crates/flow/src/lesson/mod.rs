//! The lesson, computed by the engine: its worked examples and its practice problems, as data.
//!
//! Each line has the formula, the number as the lesson prints it, and the exact one. Some printed numbers are
//! rounded early and are slightly off; nothing here is copied from them.

mod engine;
mod on_run;
mod worked;

use crate::Error;
use serde::Serialize;

pub use on_run::lesson_on;

/// One worked example or practice problem.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Item {
    /// Its name in the lesson.
    pub title: &'static str,
    /// What is asked.
    pub question: &'static str,
    /// What the engine computed, in the order of the lesson.
    pub lines: Vec<Line>,
    /// What the lesson says that holds only one way, or leaves out, said rightly.
    pub remark: Option<&'static str>,
}

/// One computed quantity.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// Its symbol.
    pub what: String,
    /// How it is computed.
    pub formula: &'static str,
    /// As the lesson prints it; `None` where the lesson does not compute it.
    pub printed: Option<&'static str>,
    /// What the engine gives, in f64.
    pub exact: Number,
}

/// A computed value.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Number {
    /// One number.
    Scalar(f64),
    /// A vector.
    Vector(Vec<f64>),
    /// A matrix, row by row.
    Matrix(Vec<Vec<f64>>),
    /// The dimensions of a parameter.
    Shape(Vec<usize>),
}

impl Number {
    /// All numbers, row by row.
    pub fn flat(&self) -> Vec<f64> {
        match self {
            Number::Scalar(x) => vec![*x],
            Number::Vector(v) => v.clone(),
            Number::Matrix(m) => m.concat(),
            Number::Shape(s) => s.iter().map(|&n| n as f64).collect(),
        }
    }
}

impl Item {
    /// The line whose symbol is `what`.
    pub fn line(&self, what: &str) -> Option<&Line> {
        self.lines.iter().find(|l| l.what == what)
    }
    pub(crate) fn new(
        title: &'static str,
        question: &'static str,
        remark: Option<&'static str>,
    ) -> Item {
        Item {
            title,
            question,
            lines: Vec::new(),
            remark,
        }
    }
    pub(crate) fn add(
        &mut self,
        what: impl Into<String>,
        formula: &'static str,
        printed: Option<&'static str>,
        exact: Number,
    ) {
        self.lines.push(Line {
            what: what.into(),
            formula,
            printed,
            exact,
        });
    }
}

/// Examples 1 to 3 and practice problems 1, 2, 4 and 5, computed by the engine on the lesson's weights.
///
/// Problem 3 asks for words; the remark of problem 2 gives them.
pub fn lesson() -> Result<Vec<Item>, Error> {
    Ok(vec![
        worked::example_1()?,
        worked::example_2()?,
        worked::example_3()?,
        worked::problem_1()?,
        worked::problem_2()?,
        worked::problem_4()?,
        worked::problem_5()?,
    ])
}
