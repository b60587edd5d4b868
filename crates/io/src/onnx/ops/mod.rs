//! The table of the operators.

mod arithmetic;
mod constant;
mod movement;
mod product;

use super::operator::Make;
use super::recurrent;

/// To add an operator: its `Operator` in a file of its kind, and a line here.
const OPERATORS: &[(&str, Make)] = &[
    ("Add", arithmetic::add),
    ("Cast", constant::cast),
    ("Concat", movement::concat),
    ("Constant", constant::constant),
    ("ConstantOfShape", constant::constant_of_shape),
    ("Div", arithmetic::div),
    ("Expand", movement::expand),
    ("GRU", recurrent::gru),
    ("Gather", movement::gather),
    ("Gemm", product::gemm),
    ("Identity", movement::identity),
    ("LSTM", recurrent::lstm),
    ("MatMul", product::matmul),
    ("Mul", arithmetic::mul),
    ("OneHot", constant::one_hot),
    ("RNN", recurrent::rnn),
    ("Relu", arithmetic::relu),
    ("Reshape", movement::reshape),
    ("Shape", constant::shape),
    ("Sigmoid", arithmetic::sigmoid),
    ("Slice", movement::slice),
    ("Softmax", arithmetic::softmax),
    ("Squeeze", movement::squeeze),
    ("Sub", arithmetic::sub),
    ("Tanh", arithmetic::tanh),
    ("Transpose", movement::transpose),
    ("Unsqueeze", movement::unsqueeze),
];

/// What makes an operator from its attributes.
pub(crate) fn find(name: &str) -> Option<Make> {
    let found = OPERATORS.iter().find(|(known, _)| *known == name);
    found.map(|(_, make)| *make)
}
