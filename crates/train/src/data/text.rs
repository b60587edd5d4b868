//! Texts as sequences of characters, and characters as codes.

use super::error::{DataError, Result};
use super::source;
use super::split::{Fractions, Split};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::Path;

/// The characters a model knows: Unicode scalar values in order of their code points.
///
/// Code 0 stands for every other character; the known ones have codes from 1. Serialises as the string of
/// its characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Vocabulary {
    chars: Vec<char>,
}

impl Vocabulary {
    /// Code of every character that is not in the vocabulary.
    pub const UNKNOWN: u32 = 0;
    /// What an unknown character is written as.
    pub const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;

    /// The different characters of a text (of its training part, so that the others are met as unknown).
    pub fn of(chars: impl IntoIterator<Item = char>) -> Self {
        // Collecting would hold every character of the text, to sort them.
        let mut different = BTreeSet::new();
        different.extend(chars.into_iter().filter(|&c| c != Self::REPLACEMENT));
        Self {
            chars: different.into_iter().collect(),
        }
    }

    /// Number of codes: the characters, and the unknown one.
    pub fn size(&self) -> usize {
        self.chars.len() + 1
    }

    /// Code of `c`.
    pub fn code(&self, c: char) -> u32 {
        self.chars
            .binary_search(&c)
            .map_or(Self::UNKNOWN, |i| i as u32 + 1)
    }

    /// Character of `code`; U+FFFD for the unknown one and for codes out of range.
    pub fn char(&self, code: u32) -> char {
        let position = (code as usize).checked_sub(1);
        position
            .and_then(|i| self.chars.get(i))
            .copied()
            .unwrap_or(Self::REPLACEMENT)
    }

    /// Codes of a text, one for each Unicode scalar value.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        // A list that grows holds its old half beside the new one.
        let mut codes = Vec::with_capacity(text.chars().count());
        codes.extend(text.chars().map(|c| self.code(c)));
        codes
    }

    /// Text of codes.
    pub fn decode(&self, codes: &[u32]) -> String {
        codes.iter().map(|&c| self.char(c)).collect()
    }
}

impl From<Vocabulary> for String {
    fn from(v: Vocabulary) -> Self {
        v.chars.into_iter().collect()
    }
}

impl TryFrom<String> for Vocabulary {
    type Error = &'static str;

    fn try_from(chars: String) -> Result<Self, Self::Error> {
        let found = Self::of(chars.chars());
        if found.chars.iter().copied().eq(chars.chars()) {
            Ok(found)
        } else {
            Err("a vocabulary must have its characters once each and in order of their code points")
        }
    }
}

/// A text read from a file, or from all `.txt` files of a folder one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The path as given.
    pub file: String,
    /// The characters, without byte-order marks; otherwise as they are in the files.
    pub text: String,
    /// The files it was read from, in order, with the byte each begins at in `text`.
    pub files: Vec<(String, usize)>,
}

/// A text as codes, with its split and the vocabulary of the training part.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoded {
    /// Vocabulary of the training part.
    pub vocabulary: Vocabulary,
    /// One code for each character of the whole text.
    pub codes: Vec<u32>,
    /// Which characters train, validate and test.
    pub split: Split,
}

impl Text {
    /// Reads a file, or the `.txt` files of a folder in the order of their names (a line end is put between
    /// two where there is none; empty files are passed over).
    ///
    /// # Errors
    /// No such file, not readable, not UTF-8 (with the line and the byte), empty; a folder without a `.txt` file.
    pub fn read(path: &Path) -> Result<Self> {
        if !path.is_dir() {
            return Self::parse(&source::display(path), &source::read(path)?);
        }
        let file = source::display(path);
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(path).map_err(|e| source::fault(path, &e))? {
            let path = entry.map_err(|e| source::fault(path, &e))?.path();
            if path
                .extension()
                .is_some_and(|e| e.eq_ignore_ascii_case("txt"))
                && path.is_file()
            {
                paths.push(path);
            }
        }
        if paths.is_empty() {
            return Err(DataError::File {
                file,
                what: "there is no .txt file in this folder; add some".into(),
            });
        }
        paths.sort();
        let mut all = Self {
            file,
            text: String::new(),
            files: Vec::new(),
        };
        for path in paths {
            match Self::parse(&source::display(&path), &source::read(&path)?) {
                Ok(one) => all.append(one),
                Err(DataError::Empty { .. }) => {}
                Err(e) => return Err(e),
            }
        }
        if all.text.is_empty() {
            return Err(DataError::Empty { file: all.file });
        }
        Ok(all)
    }

    /// The same from bytes; `file` is the name used in messages.
    ///
    /// # Errors
    /// [`DataError::NotUtf8`], [`DataError::Empty`].
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self> {
        let text = source::text(file, bytes)?.to_owned();
        Ok(Self {
            file: file.to_owned(),
            text,
            files: vec![(file.to_owned(), 0)],
        })
    }

    fn append(&mut self, one: Self) {
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
        self.files.push((one.file, self.text.len()));
        self.text.push_str(&one.text);
    }

    /// Splits the characters in reading order and encodes them with the vocabulary of the training part.
    ///
    /// # Errors
    /// [`DataError::BadSplit`], and [`DataError::TooShort`] where a part has no room for a window of
    /// `window` characters and the one that follows it.
    pub fn encode(&self, shares: Fractions, window: usize) -> Result<Encoded> {
        let split = Split::fractions(self.text.chars().count(), shares)?;
        split.require(window.saturating_add(1), "characters")?;
        let vocabulary = Vocabulary::of(self.text.chars().take(split.train().end));
        let codes = vocabulary.encode(&self.text);
        Ok(Encoded {
            vocabulary,
            codes,
            split,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fs;

    #[test]
    fn codes_in_order_of_code_points_and_one_for_the_unknown() {
        let v = Vocabulary::of("bäa".chars());
        assert_eq!(v.encode("abäz"), [1, 2, 3, Vocabulary::UNKNOWN]);
        assert_eq!(v.decode(&[3, 0, 99]), "ä\u{fffd}\u{fffd}");
        assert_eq!(v.size(), 4);
        let json = serde_json::to_string(&v).unwrap();
        assert_eq!(json, "\"abä\"");
        assert_eq!(serde_json::from_str::<Vocabulary>(&json).unwrap(), v);
        assert!(serde_json::from_str::<Vocabulary>("\"ba\"").is_err());
    }

    #[test]
    fn later_characters_are_unknown() {
        let text = Text::parse("t", "abababababababababz!".as_bytes()).unwrap();
        let e = text
            .encode(
                Fractions {
                    train: 0.8,
                    validation: 0.1,
                    test: 0.1,
                },
                1,
            )
            .unwrap();
        assert_eq!(
            (e.vocabulary.size(), &e.codes[16..]),
            (3, &[1, 2, 0, 0][..])
        );
        let said = text
            .encode(Fractions::default(), 5)
            .unwrap_err()
            .to_string();
        assert!(
            said.starts_with("the validation part has 3 characters and needs at least 6"),
            "{said}"
        );
    }

    #[test]
    fn a_folder_in_the_order_of_names() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(
            Text::read(folder.path()),
            Err(DataError::File { .. })
        ));
        fs::write(folder.path().join("b.txt"), "two").unwrap();
        fs::write(folder.path().join("a.TXT"), "\u{feff}one").unwrap();
        fs::write(folder.path().join("c.txt"), "").unwrap();
        fs::write(folder.path().join("d.md"), "no").unwrap();
        let text = Text::read(folder.path()).unwrap();
        assert_eq!(text.text, "one\ntwo");
        assert_eq!(text.files.iter().map(|f| f.1).collect::<Vec<_>>(), [0, 4]);
        fs::write(folder.path().join("e.txt"), b"x\ny\xff").unwrap();
        let e = Text::read(folder.path()).unwrap_err();
        assert!(
            matches!(&e, DataError::NotUtf8 { line: 2, byte: 3, file, .. } if file.ends_with("e.txt")),
            "{e}"
        );
    }

    proptest! {
        #[test]
        fn known_text_comes_back(text in "\\PC{0,40}") {
            let v = Vocabulary::of(text.chars());
            prop_assert_eq!(v.decode(&v.encode(&text)), text);
        }
    }
}
