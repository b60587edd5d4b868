//! ONNX models made byte by byte, good ones and others: what protocol buffers need of it, and no more.
#![allow(dead_code)] // Each test file uses a part.

fn varint(mut x: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while x >= 0x80 {
        bytes.push(x as u8 | 0x80);
        x >>= 7;
    }
    bytes.push(x as u8);
    bytes
}

/// A field of bytes, of text or of a message.
pub fn bytes(field: u64, value: impl AsRef<[u8]>) -> Vec<u8> {
    let value = value.as_ref();
    [&varint(field << 3 | 2), &varint(value.len() as u64), value].concat()
}

pub fn int(field: u64, value: i64) -> Vec<u8> {
    [varint(field << 3), varint(value as u64)].concat()
}

pub const FLOAT: i64 = 1;
pub const INT64: i64 = 7;
pub const BOOL: i64 = 9;

/// An attribute: of an integer, of a float or of texts.
pub enum Attribute {
    Int(i64),
    Float(f32),
    Text(&'static str),
}

/// A node; its name is what it makes.
pub fn node(
    operator: &str,
    inputs: &[&str],
    outputs: &[&str],
    attributes: &[(&str, Attribute)],
) -> Vec<u8> {
    let mut all: Vec<u8> = inputs.iter().flat_map(|name| bytes(1, name)).collect();
    all.extend(outputs.iter().flat_map(|name| bytes(2, name)));
    all.extend(bytes(4, operator));
    for (name, value) in attributes {
        let value = match value {
            Attribute::Int(x) => [int(3, *x), int(20, 2)].concat(),
            Attribute::Text(x) => [bytes(4, x), int(20, 3)].concat(),
            Attribute::Float(x) => {
                [varint(2 << 3 | 5), x.to_le_bytes().to_vec(), int(20, 1)].concat()
            }
        };
        all.extend(bytes(5, [bytes(1, name), value].concat()));
    }
    all
}

/// A tensor of a type of numbers, which lie in `raw`.
pub fn tensor(name: &str, kind: i64, shape: &[i64], raw: &[u8]) -> Vec<u8> {
    let dims: Vec<u8> = shape.iter().flat_map(|&n| int(1, n)).collect();
    [dims, int(2, kind), bytes(8, name), bytes(9, raw)].concat()
}

pub fn floats(name: &str, shape: &[i64], numbers: &[f32]) -> Vec<u8> {
    let raw: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
    tensor(name, FLOAT, shape, &raw)
}

pub fn ints(name: &str, numbers: &[i64]) -> Vec<u8> {
    let raw: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
    tensor(name, INT64, &[numbers.len() as i64], &raw)
}

/// A tensor of floats whose numbers lie in another file.
pub fn outside(name: &str, shape: &[i64], location: &str) -> Vec<u8> {
    let dims: Vec<u8> = shape.iter().flat_map(|&n| int(1, n)).collect();
    let place = [bytes(1, "location"), bytes(2, location)].concat();
    [
        dims,
        int(2, FLOAT),
        bytes(8, name),
        bytes(13, place),
        int(14, 1),
    ]
    .concat()
}

/// A model; inputs and outputs are of any type and shape.
pub fn model(
    nodes: &[Vec<u8>],
    constants: &[Vec<u8>],
    inputs: &[&str],
    outputs: &[&str],
) -> Vec<u8> {
    let mut graph: Vec<u8> = nodes.iter().flat_map(|node| bytes(1, node)).collect();
    graph.extend(constants.iter().flat_map(|tensor| bytes(5, tensor)));
    graph.extend(inputs.iter().flat_map(|name| bytes(11, bytes(1, name))));
    graph.extend(outputs.iter().flat_map(|name| bytes(12, bytes(1, name))));
    let opset = int(2, 21);
    [int(1, 10), bytes(7, graph), bytes(8, opset)].concat()
}
