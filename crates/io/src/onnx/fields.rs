//! Numbers of the fields in `onnx.proto` (ONNX 1.23, IR version 14), as far as they are read or written.

/// `ModelProto`
pub(crate) mod model {
    pub const IR_VERSION: u64 = 1;
    pub const PRODUCER_NAME: u64 = 2;
    pub const PRODUCER_VERSION: u64 = 3;
    pub const DOC_STRING: u64 = 6;
    pub const GRAPH: u64 = 7;
    pub const OPSET_IMPORT: u64 = 8;
}
/// `OperatorSetIdProto`
pub(crate) mod opset {
    pub const DOMAIN: u64 = 1;
    pub const VERSION: u64 = 2;
}
/// `GraphProto`
pub(crate) mod graph {
    pub const NODE: u64 = 1;
    pub const NAME: u64 = 2;
    pub const INITIALIZER: u64 = 5;
    pub const INPUT: u64 = 11;
    pub const OUTPUT: u64 = 12;
    pub const SPARSE_INITIALIZER: u64 = 15;
}
/// `NodeProto`
pub(crate) mod node {
    pub const INPUT: u64 = 1;
    pub const OUTPUT: u64 = 2;
    pub const NAME: u64 = 3;
    pub const OP_TYPE: u64 = 4;
    pub const ATTRIBUTE: u64 = 5;
    pub const DOMAIN: u64 = 7;
}
/// `AttributeProto`, and the numbers of its `AttributeType`
pub(crate) mod attribute {
    pub const NAME: u64 = 1;
    pub const FLOAT: u64 = 2;
    pub const INT: u64 = 3;
    pub const STRING: u64 = 4;
    pub const TENSOR: u64 = 5;
    pub const FLOATS: u64 = 7;
    pub const INTS: u64 = 8;
    pub const STRINGS: u64 = 9;
    pub const TYPE: u64 = 20;
    pub const REFERENCE: u64 = 21;

    pub const TYPE_FLOAT: i64 = 1;
    pub const TYPE_INT: i64 = 2;
    pub const TYPE_STRING: i64 = 3;
    pub const TYPE_TENSOR: i64 = 4;
    pub const TYPE_FLOATS: i64 = 6;
    pub const TYPE_INTS: i64 = 7;
    pub const TYPE_STRINGS: i64 = 8;
}
/// `TensorProto`, and the numbers of its `DataType`
pub(crate) mod tensor {
    pub const DIMS: u64 = 1;
    pub const DATA_TYPE: u64 = 2;
    pub const SEGMENT: u64 = 3;
    pub const FLOAT_DATA: u64 = 4;
    pub const INT32_DATA: u64 = 5;
    pub const INT64_DATA: u64 = 7;
    pub const NAME: u64 = 8;
    pub const RAW_DATA: u64 = 9;
    pub const DOUBLE_DATA: u64 = 10;
    pub const UINT64_DATA: u64 = 11;
    pub const EXTERNAL_DATA: u64 = 13;
    pub const DATA_LOCATION: u64 = 14;

    pub const FLOAT: i64 = 1;
    pub const UINT8: i64 = 2;
    pub const INT8: i64 = 3;
    pub const INT32: i64 = 6;
    pub const INT64: i64 = 7;
    pub const BOOL: i64 = 9;
    pub const FLOAT16: i64 = 10;
    pub const DOUBLE: i64 = 11;
    pub const UINT64: i64 = 13;
    pub const BFLOAT16: i64 = 16;
    /// Names of the types from 1, for messages.
    pub const NAMES: [&str; 16] = [
        "float32",
        "uint8",
        "int8",
        "uint16",
        "int16",
        "int32",
        "int64",
        "string",
        "bool",
        "float16",
        "float64",
        "uint32",
        "uint64",
        "complex64",
        "complex128",
        "bfloat16",
    ];
}
/// `ValueInfoProto`, `TypeProto`, its `Tensor`, `TensorShapeProto` and its `Dimension`
pub(crate) mod value {
    pub const NAME: u64 = 1;
    pub const TYPE: u64 = 2;
    pub const TENSOR_TYPE: u64 = 1;
    pub const ELEM_TYPE: u64 = 1;
    pub const SHAPE: u64 = 2;
    pub const DIM: u64 = 1;
    pub const DIM_VALUE: u64 = 1;
    pub const DIM_PARAM: u64 = 2;
}
/// `StringStringEntryProto`
pub(crate) mod entry {
    pub const KEY: u64 = 1;
    pub const VALUE: u64 = 2;
}
