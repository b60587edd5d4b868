//! What the rows of a file are called.

use super::rising::Rising;
use super::texts::Texts;
use super::values::Values;
use std::ops::Range;
use std::sync::Arc;

/// Labels of rows: their number from 1, or the cells of the column that counts time. A copy shares the cells.
#[derive(Debug, Clone, PartialEq)]
pub struct RowLabels(Held);

#[derive(Debug, Clone, PartialEq)]
enum Held {
    Rows(Rising),
    Numbers(Values),
    Texts(Arc<Texts>),
}

impl RowLabels {
    pub(super) fn rows(rows: usize) -> Self {
        Self(Held::Rows((1..=rows as u64).collect()))
    }

    pub(super) fn numbers(values: Values) -> Self {
        Self(Held::Numbers(values))
    }

    pub(super) fn texts(texts: Arc<Texts>) -> Self {
        Self(Held::Texts(texts))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match &self.0 {
            Held::Rows(rows) => rows.len(),
            Held::Numbers(values) => values.len(),
            Held::Texts(texts) => texts.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The label of `row`, from 0: a number in its shortest form; nothing for a gap and for a row that is not there.
    pub fn get(&self, row: usize) -> String {
        match &self.0 {
            Held::Rows(rows) => rows.get(row).map_or(String::new(), |n| n.to_string()),
            Held::Numbers(values) => match values.get(row) {
                gap if gap.is_nan() => String::new(),
                value => value.to_string(),
            },
            Held::Texts(texts) => texts.get(row).to_owned(),
        }
    }

    /// The labels of some rows.
    pub fn part(&self, rows: Range<usize>) -> Vec<String> {
        rows.map(|row| self.get(row)).collect()
    }

    /// All of them, in order.
    pub fn to_vec(&self) -> Vec<String> {
        self.part(0..self.len())
    }

    /// Leaves only the rows `kept`.
    pub(super) fn keep(&mut self, kept: &Rising) {
        let rows = kept.iter().map(|row| row as usize);
        self.0 = match &self.0 {
            Held::Rows(all) => Held::Rows(all.rows(kept)),
            Held::Numbers(all) => Held::Numbers(all.rows(kept)),
            Held::Texts(all) => Held::Texts(Arc::new(rows.map(|row| all.get(row)).collect())),
        };
    }
}

impl Default for RowLabels {
    fn default() -> Self {
        Self::rows(0)
    }
}

impl FromIterator<String> for RowLabels {
    fn from_iter<I: IntoIterator<Item = String>>(labels: I) -> Self {
        let mut texts = Texts::default();
        labels.into_iter().for_each(|label| texts.push(&label));
        Self::texts(Arc::new(texts))
    }
}
