//! Many short texts, one after another in one buffer.

/// Texts by position. Each takes its own bytes and four more, where a `String` takes at least fifty.
///
/// Together they may have as many bytes as a `u32` counts: larger files are refused before they are cut into texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Texts {
    all: String,
    /// Where each ends in `all`.
    ends: Vec<u32>,
}

impl Texts {
    /// None yet, with room for the places of `rows`.
    pub(crate) fn with_rows(rows: usize) -> Self {
        Self {
            all: String::new(),
            ends: Vec::with_capacity(rows),
        }
    }

    pub(crate) fn push(&mut self, text: &str) {
        self.all.push_str(text);
        self.ends.push(self.all.len() as u32);
    }

    /// Whether there is room for another.
    pub(crate) fn takes(&self, text: &str) -> bool {
        u32::try_from(self.all.len() + text.len()).is_ok()
    }

    /// The first text that was there before: its place, and the place of the one before.
    pub(crate) fn repeated(&self) -> Option<(usize, usize)> {
        let text = |place: u32| self.get(place as usize);
        let mut order: Vec<u32> = (0..self.len() as u32).collect();
        order.sort_unstable_by_key(|&place| (text(place), place));
        let pairs = order.windows(2).filter(|w| text(w[0]) == text(w[1]));
        pairs.map(|w| (w[1] as usize, w[0] as usize)).min()
    }

    /// Gives back the room that was taken and not needed.
    pub(crate) fn shrink(&mut self) {
        self.all.shrink_to_fit();
        self.ends.shrink_to_fit();
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The text at `row`, from 0; nothing for a row that is not there.
    pub fn get(&self, row: usize) -> &str {
        let Some(&end) = self.ends.get(row) else {
            return "";
        };
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.all[start as usize..end as usize]
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> + Clone {
        (0..self.len()).map(|row| self.get(row))
    }
}

impl<'t> FromIterator<&'t str> for Texts {
    fn from_iter<I: IntoIterator<Item = &'t str>>(texts: I) -> Self {
        let mut out = Self::default();
        texts.into_iter().for_each(|text| out.push(text));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_by_position() {
        let texts: Texts = ["ä", "", "bc"].into_iter().collect();
        assert_eq!(texts.iter().collect::<Vec<_>>(), ["ä", "", "bc"]);
        assert_eq!((texts.get(2), texts.get(3), texts.len()), ("bc", "", 3));
        assert!(Texts::default().is_empty());
        let repeated = |texts: &[&str]| texts.iter().copied().collect::<Texts>().repeated();
        assert_eq!(repeated(&["b", "a", "c", "a", "b", "a"]), Some((3, 1)));
        assert_eq!(repeated(&["b", "a"]), None);
    }
}
