//! The attributes of a node: taken one by one, and an error for what nobody took.

use super::fields::attribute as field;
use super::tensor::Decoder;
use crate::Tensor;
use crate::wire::{Fields, Value};

/// More attributes than any operator has.
const MOST: usize = 32;
/// More integers than any attribute has that is read here.
const MOST_INTS: usize = 1024;
/// More texts than any attribute has that is read here.
const MOST_TEXTS: usize = 16;

/// What an attribute may be.
#[derive(Debug)]
enum Held<'a> {
    Float(f32),
    Int(i64),
    Text(&'a str),
    Tensor(&'a [u8]),
    Floats(Vec<f32>),
    Ints(Vec<i64>),
    Texts(Vec<&'a str>),
    Other,
}

/// Attributes that nobody has taken yet.
pub(crate) struct Attributes<'a> {
    left: Vec<(&'a str, Held<'a>)>,
    decoder: &'a Decoder<'a>,
    /// The version of the operators.
    pub opset: i64,
}

impl<'a> Attributes<'a> {
    pub fn new(
        messages: &[&'a [u8]],
        decoder: &'a Decoder<'a>,
        opset: i64,
    ) -> Result<Attributes<'a>, String> {
        if messages.len() > MOST {
            return Err(format!("it has {} attributes", messages.len()));
        }
        let mut left = Vec::with_capacity(messages.len());
        for message in messages {
            let (name, held) = read(message)?;
            if left.iter().any(|(other, _)| *other == name) {
                return Err(format!("it has the attribute {name} twice"));
            }
            left.push((name, held));
        }
        Ok(Attributes {
            left,
            decoder,
            opset,
        })
    }
    fn take(&mut self, name: &str) -> Option<Held<'a>> {
        let at = self.left.iter().position(|(n, _)| *n == name)?;
        Some(self.left.swap_remove(at).1)
    }
    /// The name of one that nobody took.
    pub fn left_over(&self) -> Option<&'a str> {
        self.left.first().map(|(name, _)| *name)
    }
    /// Whether it is there.
    pub fn has(&self, name: &str) -> bool {
        self.left.iter().any(|(n, _)| *n == name)
    }
    pub fn int(&mut self, name: &str) -> Result<Option<i64>, String> {
        self.one(name, "an integer", |held| match held {
            Held::Int(x) => Some(x),
            _ => None,
        })
    }
    pub fn float(&mut self, name: &str) -> Result<Option<f32>, String> {
        self.one(name, "a float", |held| match held {
            Held::Float(x) => Some(x),
            _ => None,
        })
    }
    pub fn text(&mut self, name: &str) -> Result<Option<&'a str>, String> {
        self.one(name, "a text", |held| match held {
            Held::Text(x) => Some(x),
            _ => None,
        })
    }
    pub fn ints(&mut self, name: &str) -> Result<Option<Vec<i64>>, String> {
        self.one(name, "integers", |held| match held {
            Held::Ints(x) => Some(x),
            _ => None,
        })
    }
    pub fn floats(&mut self, name: &str) -> Result<Option<Vec<f32>>, String> {
        self.one(name, "floats", |held| match held {
            Held::Floats(x) => Some(x),
            _ => None,
        })
    }
    pub fn texts(&mut self, name: &str) -> Result<Option<Vec<&'a str>>, String> {
        self.one(name, "texts", |held| match held {
            Held::Texts(x) => Some(x),
            _ => None,
        })
    }
    pub fn tensor(&mut self, name: &str) -> Result<Option<Tensor>, String> {
        let bytes = self.one(name, "a tensor", |held| match held {
            Held::Tensor(x) => Some(x),
            _ => None,
        })?;
        bytes
            .map(|bytes| Ok(self.decoder.read(bytes)?.1))
            .transpose()
    }
    /// An integer that is 0 or 1.
    pub fn flag(&mut self, name: &str) -> Result<bool, String> {
        Ok(self.int(name)?.unwrap_or(0) != 0)
    }
    fn one<T>(
        &mut self,
        name: &str,
        what: &str,
        get: impl FnOnce(Held<'a>) -> Option<T>,
    ) -> Result<Option<T>, String> {
        match self.take(name) {
            None => Ok(None),
            Some(held) => match get(held) {
                Some(x) => Ok(Some(x)),
                None => Err(format!("its attribute {name} must be {what}")),
            },
        }
    }
}

fn read(message: &[u8]) -> Result<(&str, Held<'_>), String> {
    let (mut name, mut kind, mut refers) = ("", None, false);
    let (mut float, mut int, mut text, mut tensor) = (0.0, 0, None, None);
    let (mut floats, mut ints, mut texts) = (Vec::new(), Vec::new(), Vec::new());
    for next in Fields::new(message) {
        let (number, value): (u64, Value<'_>) = next?;
        match number {
            field::NAME => name = value.text()?,
            field::TYPE => kind = Some(value.int()?),
            field::FLOAT => float = value.float()?,
            field::INT => int = value.int()?,
            field::STRING => text = Some(value.bytes()?),
            field::TENSOR => tensor = Some(value.bytes()?),
            field::FLOATS => value.floats(&mut floats)?,
            field::INTS => value.ints(&mut ints, MOST_INTS)?,
            field::STRINGS if texts.len() < MOST_TEXTS => texts.push(value.text()?),
            field::STRINGS => return Err(format!("its attribute {name} has too many texts")),
            field::REFERENCE => refers = true,
            _ => {}
        }
    }
    if refers {
        return Err(format!(
            "its attribute {name} refers to one of a function, which is not supported"
        ));
    }
    let kind = kind.ok_or_else(|| format!("its attribute {name:?} has no type"))?;
    let held = match kind {
        field::TYPE_FLOAT => Held::Float(float),
        field::TYPE_INT => Held::Int(int),
        field::TYPE_STRING => Held::Text(
            std::str::from_utf8(text.unwrap_or_default())
                .map_err(|_| format!("its attribute {name} is not UTF-8"))?,
        ),
        field::TYPE_TENSOR => {
            Held::Tensor(tensor.ok_or_else(|| format!("its attribute {name} is empty"))?)
        }
        field::TYPE_FLOATS => Held::Floats(floats),
        field::TYPE_INTS => Held::Ints(ints),
        field::TYPE_STRINGS => Held::Texts(texts),
        _ => Held::Other,
    };
    Ok((name, held))
}
