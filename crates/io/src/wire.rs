//! Protocol buffers, as far as ONNX and TensorBoard need them: fields one by one, borrowed from the bytes.
//!
//! Written here because a reader made from the schema builds a structure of two hundred bytes and more for each
//! empty message, which is two bytes in the file: a hostile file would take a hundred times its size. Here nothing
//! is built that is not asked for.

/// The value of a field, by its wire type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    /// An integer, a boolean or an enumeration.
    Varint(u64),
    /// Eight bytes: a double.
    Eight([u8; 8]),
    /// Text, bytes, a message, or packed numbers.
    Bytes(&'a [u8]),
    /// Four bytes: a float.
    Four([u8; 4]),
}

/// The fields of a message, in the order of the file.
#[derive(Clone)]
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub fn new(bytes: &'a [u8]) -> Fields<'a> {
        Fields { rest: bytes }
    }
    fn take(&mut self, n: usize) -> Result<&'a [u8], String> {
        let (head, tail) = self
            .rest
            .split_at_checked(n)
            .ok_or_else(|| format!("it announces {n} bytes where {} are left", self.rest.len()))?;
        self.rest = tail;
        Ok(head)
    }
    fn varint(&mut self) -> Result<u64, String> {
        let (value, rest) = varint(self.rest)?;
        self.rest = rest;
        Ok(value)
    }
    fn field(&mut self) -> Result<(u64, Value<'a>), String> {
        let key = self.varint()?;
        let value = match key & 7 {
            0 => Value::Varint(self.varint()?),
            1 => Value::Eight(array(self.take(8)?)),
            2 => {
                let n = self.varint()?;
                let n = usize::try_from(n).unwrap_or(usize::MAX);
                Value::Bytes(self.take(n)?)
            }
            5 => Value::Four(array(self.take(4)?)),
            other => return Err(format!("a field has the unknown wire type {other}")),
        };
        Ok((key >> 3, value))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), String>;
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut to = [0; N];
    to.copy_from_slice(bytes);
    to
}

fn varint(bytes: &[u8]) -> Result<(u64, &[u8]), String> {
    let mut value = 0;
    for (i, &byte) in bytes.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7F) << (7 * i).min(63);
        if byte < 0x80 {
            return Ok((value, &bytes[i + 1..]));
        }
    }
    Err("a number does not end".into())
}

impl<'a> Value<'a> {
    pub fn bytes(self) -> Result<&'a [u8], String> {
        match self {
            Value::Bytes(bytes) => Ok(bytes),
            other => Err(format!("bytes are expected, and there is {other:?}")),
        }
    }
    pub fn text(self) -> Result<&'a str, String> {
        std::str::from_utf8(self.bytes()?).map_err(|_| "a text is not UTF-8".into())
    }
    pub fn int(self) -> Result<i64, String> {
        match self {
            Value::Varint(x) => Ok(x as i64),
            other => Err(format!("an integer is expected, and there is {other:?}")),
        }
    }
    pub fn float(self) -> Result<f32, String> {
        match self {
            Value::Four(x) => Ok(f32::from_le_bytes(x)),
            other => Err(format!("a float is expected, and there is {other:?}")),
        }
    }
    /// Appends one number, or packed numbers; `room` is how many more there may be.
    pub fn ints(self, to: &mut Vec<i64>, room: usize) -> Result<(), String> {
        let mut push = |x: u64| match to.len() < room {
            true => {
                to.push(x as i64);
                Ok(())
            }
            false => Err(format!("it has more than {room} numbers")),
        };
        match self {
            Value::Varint(x) => push(x),
            Value::Bytes(mut rest) => {
                while !rest.is_empty() {
                    let (x, after) = varint(rest)?;
                    push(x)?;
                    rest = after;
                }
                Ok(())
            }
            other => Err(format!("integers are expected, and there is {other:?}")),
        }
    }
    /// The same for floats, which take what they take in the file.
    pub fn floats(self, to: &mut Vec<f32>) -> Result<(), String> {
        match self {
            Value::Four(x) => to.push(f32::from_le_bytes(x)),
            Value::Bytes(bytes) => {
                let (whole, rest) = bytes.as_chunks::<4>();
                if !rest.is_empty() {
                    return Err("packed floats end in the middle of one".into());
                }
                to.extend(whole.iter().map(|&x| f32::from_le_bytes(x)));
            }
            other => return Err(format!("floats are expected, and there is {other:?}")),
        }
        Ok(())
    }
    /// The same for doubles.
    pub fn doubles(self, to: &mut Vec<f64>) -> Result<(), String> {
        match self {
            Value::Eight(x) => to.push(f64::from_le_bytes(x)),
            Value::Bytes(bytes) => {
                let (whole, rest) = bytes.as_chunks::<8>();
                if !rest.is_empty() {
                    return Err("packed doubles end in the middle of one".into());
                }
                to.extend(whole.iter().map(|&x| f64::from_le_bytes(x)));
            }
            other => return Err(format!("doubles are expected, and there is {other:?}")),
        }
        Ok(())
    }
}

/// A message being written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Message(pub Vec<u8>);

impl Message {
    pub fn new() -> Message {
        Message::default()
    }
    fn raw(&mut self, mut x: u64) {
        while x >= 0x80 {
            self.0.push(x as u8 | 0x80);
            x >>= 7;
        }
        self.0.push(x as u8);
    }
    pub fn int(mut self, field: u64, x: i64) -> Message {
        self.raw(field << 3);
        self.raw(x as u64);
        self
    }
    pub fn float(mut self, field: u64, x: f32) -> Message {
        self.raw(field << 3 | 5);
        self.0.extend_from_slice(&x.to_le_bytes());
        self
    }
    pub fn double(mut self, field: u64, x: f64) -> Message {
        self.raw(field << 3 | 1);
        self.0.extend_from_slice(&x.to_le_bytes());
        self
    }
    pub fn bytes(mut self, field: u64, x: &[u8]) -> Message {
        self.raw(field << 3 | 2);
        self.raw(x.len() as u64);
        self.0.extend_from_slice(x);
        self
    }
    pub fn text(self, field: u64, x: &str) -> Message {
        self.bytes(field, x.as_bytes())
    }
    pub fn message(self, field: u64, x: Message) -> Message {
        self.bytes(field, &x.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let inner = Message::new().text(1, "größer");
        let all = Message::new()
            .int(3, -1)
            .int(300, 128)
            .float(4, 1.5)
            .double(5, -2.5)
            .message(7, inner)
            .bytes(8, &[1.0_f64.to_le_bytes(), 2.0_f64.to_le_bytes()].concat());
        let fields: Vec<_> = Fields::new(&all.0).collect::<Result<_, _>>().unwrap();
        assert_eq!(fields[0].0, 3);
        assert_eq!(fields[0].1.int(), Ok(-1));
        assert_eq!(fields[1], (300, Value::Varint(128)));
        assert_eq!(fields[2].1.float(), Ok(1.5));
        let mut doubles = Vec::new();
        fields[3].1.doubles(&mut doubles).unwrap();
        fields[5].1.doubles(&mut doubles).unwrap();
        assert_eq!(doubles, [-2.5, 1.0, 2.0]);
        let inner = Fields::new(fields[4].1.bytes().unwrap()).next().unwrap();
        assert_eq!(inner.unwrap().1.text(), Ok("größer"));
        for cut in 0..all.0.len() {
            // A cut is an error, or falls between two fields.
            let whole = Fields::new(&all.0[..cut]).all(|f| f.is_ok());
            assert!(!whole || Fields::new(&all.0[..cut]).count() < fields.len());
        }
    }
    #[test]
    fn numbers_without_end_and_unknown_types() {
        assert!(Fields::new(&[0x80; 20]).next().unwrap().is_err());
        assert!(Fields::new(&[3]).next().unwrap().is_err());
        let mut few = Vec::new();
        assert!(Value::Bytes(&[1, 2, 3]).ints(&mut few, 2).is_err());
    }
}
