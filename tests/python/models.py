"""Small models, and ONNX Runtime to run them."""

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper


def model_of(nodes, inputs, outputs, constants=(), opset=21, kinds=()):
    """A model of free shapes; of 32-bit floats, where `kinds` does not say another type of an input or output."""
    kinds = dict(kinds)
    kind = lambda name: kinds.get(name, TensorProto.FLOAT)
    ports = lambda names: [helper.make_tensor_value_info(n, kind(n), None) for n in names]
    tensors = [numpy_helper.from_array(np.asarray(a), n) for n, a in dict(constants).items()]
    graph = helper.make_graph(nodes, "g", ports(inputs), ports(outputs), tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


def runtime(model, inputs):
    """The outputs of ONNX Runtime."""
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, inputs)
