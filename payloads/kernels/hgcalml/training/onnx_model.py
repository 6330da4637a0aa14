"""The same network as an ONNX model in ONNX Runtime, as CMSSW runs it (PhysicsTools/ONNXRuntime).

Needs `onnx` and `onnxruntime`, which nothing else of sitecap does.

One input `input`, (n, 50, 10, 3); two outputs, `pid_output`, (n, 5), behind a softmax, and `enreg_output`, (n, 1), the
logarithm of the energy's correction: names as CMSSW's TracksterInferenceByDNN has them.
"""

from __future__ import annotations

from typing import Any, Protocol, cast

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from payloads.arrays import Array
from payloads.kernels.hgcalml import network
from payloads.kernels.hgcalml.network import Parameters
from payloads.kernels.hgcalml.reference_inputs import CLUSTERS, FEATURES, LAYERS

OPSET, IR_VERSION = 17, 8
"""Of 2022: what CMSSW's ONNX Runtime reads too."""
CLASSES = 5


class Session(Protocol):
    """A model that is ready to run."""

    def run(self, names: None, inputs: dict[str, Array]) -> list[Array]:
        """Both outputs, (n, 5) and (n, 1), of ``input``, (n, 50, 10, 3) in single precision."""
        ...


def session(weights: Parameters) -> Session:
    """ONNX Runtime with this network, in one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    made = onnxruntime.InferenceSession(model(weights), options, providers=["CPUExecutionProvider"])
    return cast("Session", made)


def model(weights: Parameters) -> bytes:
    """The model, serialised; weights as ``network.parameters`` gives them."""
    tensors: list[Any] = []
    nodes: list[Any] = [helper.make_node("Transpose", ["input"], ["picture_0"], perm=[0, 3, 1, 2])]

    def tensor(name: str, values: Array) -> str:
        tensors.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    for number, layer in enumerate(network.CONVOLUTIONS):
        kernel = tensor(layer.name, weights[layer.name].transpose(3, 2, 0, 1))  # output, input, row, column
        bias = tensor(f"{layer.name}_bias", weights[f"{layer.name}_bias"])
        nodes += [
            helper.make_node(
                "Conv",
                [f"picture_{number}", kernel, bias],
                [f"sums_{number}"],
                kernel_shape=[3, 3],
                pads=[1, 1, 1, 1],
                strides=list(layer.stride),
            ),
            helper.make_node("Relu", [f"sums_{number}"], [f"picture_{number + 1}"]),
        ]
    # flattened channel by channel here, place by place in the kernel
    channels = network.CONVOLUTIONS[-1].outputs
    places = network.HIDDEN.inputs // channels
    hidden = weights["hidden"].reshape(places, channels, -1).transpose(1, 0, 2).reshape(network.HIDDEN.shape)
    heads, of_heads = weights["heads"], weights["heads_bias"]
    nodes += [
        helper.make_node("Flatten", [f"picture_{len(network.CONVOLUTIONS)}"], ["flat"]),
        helper.make_node("Gemm", ["flat", tensor("hidden", hidden), tensor("hidden_bias", weights["hidden_bias"])],
                         ["hidden_sums"]),
        helper.make_node("Relu", ["hidden_sums"], ["hidden_values"]),
        helper.make_node("Gemm", ["hidden_values", tensor("id", heads[:, :CLASSES]), tensor("id_bias", of_heads[:CLASSES])],
                         ["scores"]),
        helper.make_node("Softmax", ["scores"], ["pid_output"], axis=1),
        helper.make_node("Gemm", ["hidden_values", tensor("energy", heads[:, CLASSES:]),
                                  tensor("energy_bias", of_heads[CLASSES:])], ["enreg_output"]),
    ]  # fmt: skip
    graph = helper.make_graph(
        nodes,
        "hgcalml",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["n", LAYERS, CLUSTERS, FEATURES])],
        [
            helper.make_tensor_value_info("pid_output", TensorProto.FLOAT, ["n", CLASSES]),
            helper.make_tensor_value_info("enreg_output", TensorProto.FLOAT, ["n", 1]),
        ],
        tensors,
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(made)
    return bytes(made.SerializeToString())
