//! Pairs of texts, one source and one target a line with a tab between them, and their symbols as codes.

use super::error::{DataError, Result};
use super::source;
use super::texts::Texts;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::Path;

/// How a text is cut into symbols.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Symbols {
    /// Each Unicode scalar value.
    #[default]
    Characters,
    /// Each run of anything but white space, such as phonemes `HH AH L OW`.
    Words,
}

impl Symbols {
    /// The symbols of `text`, in order.
    pub fn of(self, text: &str) -> impl Iterator<Item = &str> {
        let (chars, words) = match self {
            Self::Characters => (text, ""),
            Self::Words => ("", text),
        };
        chars
            .char_indices()
            .map(|(i, c)| &chars[i..i + c.len_utf8()])
            .chain(words.split_whitespace())
    }
}

/// All pairs of a file, in its order: the source and the target at the same place belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pairs {
    /// Name of the file, as in messages.
    pub file: String,
    /// Texts before the tab, without white space at their ends.
    pub sources: Texts,
    /// Texts after the tab, without white space at their ends.
    pub targets: Texts,
}

impl Pairs {
    /// Reads tab-separated pairs; blank lines are passed over.
    ///
    /// # Errors
    /// Those of the file system and of UTF-8; and, with the line: no tab, more than one, nothing on one side.
    pub fn read(path: &Path) -> Result<Self> {
        Self::parse(&source::display(path), &source::read(path)?)
    }

    /// The same from bytes; `file` is the name used in messages.
    ///
    /// # Errors
    /// As [`Pairs::read`], apart from those of the file system; more than 4 GiB.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self> {
        let all = source::text(file, bytes)?;
        source::counted(file, all)?;
        let (mut sources, mut targets) = (Texts::default(), Texts::default());
        for (line, text) in (1..).zip(all.lines()) {
            if text.trim().is_empty() && !text.contains('\t') {
                continue;
            }
            let bad = |what: &str| DataError::Line {
                file: file.to_owned(),
                line,
                what: what.to_owned(),
            };
            let (source, target) = text
                .split_once('\t')
                .ok_or_else(|| bad("there is no tab; write source, a tab, and target"))?;
            if target.contains('\t') {
                return Err(bad(
                    "there is more than one tab; write source, one tab, and target",
                ));
            }
            let (source, target) = (source.trim(), target.trim());
            if source.is_empty() || target.is_empty() {
                let side = if source.is_empty() { "before" } else { "after" };
                return Err(bad(&format!(
                    "there is nothing {side} the tab; fill it in or leave the line out"
                )));
            }
            sources.push(source);
            targets.push(target);
        }
        sources.shrink();
        targets.shrink();
        Ok(Self {
            file: file.to_owned(),
            sources,
            targets,
        })
    }
}

/// Symbols ↔ codes: 0 unknown, 1 start, 2 end, then the known symbols in the order of their code points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct SymbolTable {
    cut: Symbols,
    symbols: Vec<String>,
}

impl SymbolTable {
    /// Code of every symbol that is not in the table.
    pub const UNKNOWN: u32 = 0;
    /// Code that a decoder is started with.
    pub const START: u32 = 1;
    /// Code that ends a target.
    pub const END: u32 = 2;
    const FIRST: u32 = 3;

    /// The different symbols of the texts (of the training part, so that the others are met as unknown).
    pub fn of<'t>(texts: impl IntoIterator<Item = &'t str>, cut: Symbols) -> Self {
        // Collecting would hold every symbol of the texts, to sort them.
        let mut different = BTreeSet::new();
        different.extend(texts.into_iter().flat_map(|t| cut.of(t)));
        Self {
            cut,
            symbols: different.into_iter().map(str::to_owned).collect(),
        }
    }

    /// How texts are cut into symbols.
    pub fn cut(&self) -> Symbols {
        self.cut
    }

    /// Number of codes: the symbols, and the three that stand for none.
    pub fn size(&self) -> usize {
        self.symbols.len() + Self::FIRST as usize
    }

    /// Code of a symbol.
    pub fn code(&self, symbol: &str) -> u32 {
        self.symbols
            .binary_search_by(|s| s.as_str().cmp(symbol))
            .map_or(Self::UNKNOWN, |i| i as u32 + Self::FIRST)
    }

    /// Symbol of a code; `�` for the unknown one, and nothing for start, end and codes out of range.
    pub fn symbol(&self, code: u32) -> &str {
        match code.checked_sub(Self::FIRST) {
            None if code == Self::UNKNOWN => "\u{fffd}",
            None => "",
            Some(i) => self.symbols.get(i as usize).map_or("", String::as_str),
        }
    }

    /// Codes of a text, without start and end.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        self.cut.of(text).map(|s| self.code(s)).collect()
    }

    /// Text of codes up to the first end; words with spaces between them.
    pub fn decode(&self, codes: &[u32]) -> String {
        let symbols = codes
            .iter()
            .take_while(|&&c| c != Self::END)
            .map(|&c| self.symbol(c))
            .filter(|s| !s.is_empty());
        let between = match self.cut {
            Symbols::Characters => "",
            Symbols::Words => " ",
        };
        symbols.collect::<Vec<_>>().join(between)
    }
}

/// A table as it is written: checked on its way in, because codes are found by halving.
#[derive(Serialize, Deserialize)]
struct Stored {
    cut: Symbols,
    symbols: Vec<String>,
}

impl From<SymbolTable> for Stored {
    fn from(SymbolTable { cut, symbols }: SymbolTable) -> Self {
        Self { cut, symbols }
    }
}

impl TryFrom<Stored> for SymbolTable {
    type Error = &'static str;

    fn try_from(Stored { cut, symbols }: Stored) -> Result<Self, Self::Error> {
        if symbols.windows(2).all(|w| w[0] < w[1]) {
            Ok(Self { cut, symbols })
        } else {
            Err("a symbol table must have its symbols once each and in order")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn letters_to_phonemes() {
        let pairs = Pairs::parse("t", "hello\tHH AH L OW\r\n\nö x\tOW\n".as_bytes()).unwrap();
        assert_eq!((pairs.sources.get(1), pairs.targets.get(1)), ("ö x", "OW"));
        let letters = SymbolTable::of(pairs.sources.iter(), Symbols::Characters);
        let phonemes = SymbolTable::of(pairs.targets.iter(), Symbols::Words);
        assert_eq!((letters.size(), phonemes.size()), (3 + 7, 3 + 4));
        assert_eq!(phonemes.encode("AH  HH ZZ"), [3, 4, SymbolTable::UNKNOWN]);
        assert_eq!(phonemes.decode(&[1, 3, 4, 0, 2, 5]), "AH HH \u{fffd}");
        assert_eq!(letters.decode(&letters.encode("hello ö")), "hello ö");
        let json = serde_json::to_string(&phonemes).unwrap();
        assert_eq!(
            serde_json::from_str::<SymbolTable>(&json).unwrap(),
            phonemes
        );
        assert!(
            serde_json::from_str::<SymbolTable>(r#"{"cut":"words","symbols":["b","a"]}"#).is_err()
        );
    }

    #[test]
    fn wrong_lines() {
        for (text, said) in [
            ("a\tb\nab\n", "t.tsv: line 2: there is no tab"),
            (
                "a\tb\nc\td\te\n",
                "t.tsv: line 2: there is more than one tab",
            ),
            (
                "a\tb\n\td\n",
                "t.tsv: line 2: there is nothing before the tab",
            ),
            (
                "a\tb\nc\t \n",
                "t.tsv: line 2: there is nothing after the tab",
            ),
            ("", "t.tsv: the file is empty"),
        ] {
            let got = Pairs::parse("t.tsv", text.as_bytes())
                .unwrap_err()
                .to_string();
            assert!(got.starts_with(said), "{text:?}: {got}");
        }
    }

    proptest! {
        #[test]
        fn known_symbols_come_back(texts in proptest::collection::vec("[a-dä ]{1,8}", 1..6)) {
            let table = SymbolTable::of(texts.iter().map(String::as_str), Symbols::Characters);
            for text in &texts {
                prop_assert_eq!(&table.decode(&table.encode(text)), text);
            }
        }
    }
}
