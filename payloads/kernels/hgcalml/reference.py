"""Definition of truth: the same pictures through the same network in NumPy and double precision.

Convolutions are sums over shifted copies of the whole picture, not over windows; weights are those of `weights.inc`, or of
the event set where it brings a network of its own.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from payloads.arrays import Array, Arrays, as_float64
from payloads.kernels.hgcalml import network
from payloads.kernels.hgcalml.network import Convolution, Parameters
from payloads.kernels.hgcalml.reference_inputs import Floats, chosen, pictures

ANSWERS = ("photon", "electron", "charged_hadron", "neutral_hadron", "ambiguous")
LARGEST_CORRECTION = 4.0
"""Of the energy's logarithm."""


def weights_of(event: Arrays) -> Parameters:
    """The network of the event set, else the trained one."""
    if "network_weight" in event:
        return network.parameters(event["network_weight"], event["network_exponent"])
    return network.parameters(*network.read())


def convolved(x: Floats, layer: Convolution, weights: Parameters) -> Floats:
    """(n, rows, columns, inputs) -> (n, rows', columns', outputs), max(0, x) taken."""
    rows, columns = layer.size_behind((x.shape[1], x.shape[2]))
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    kernel = as_float64(weights[layer.name])
    total: Floats = np.tile(as_float64(weights[f"{layer.name}_bias"]), (len(x), rows, columns, 1))
    for i in range(3):
        for j in range(3):
            shifted = padded[:, i : i + x.shape[1], j : j + x.shape[2]]
            total += shifted[:, :: layer.stride[0], :: layer.stride[1]] @ kernel[i, j]
    return np.maximum(total, 0)


def outputs(picture: Floats, weights: Parameters) -> Floats:
    """(n, 6): scores of the classes, logarithm of the energy's correction."""
    x = picture
    for layer in network.CONVOLUTIONS:
        x = convolved(x, layer, weights)
    hidden = np.maximum(
        x.reshape(len(x), network.HIDDEN.inputs) @ as_float64(weights["hidden"])
        + as_float64(weights["hidden_bias"]),
        0,
    )
    return np.asarray(hidden @ as_float64(weights["heads"]) + as_float64(weights["heads_bias"]))


def softmax(scores: Floats) -> Floats:
    """Along the last axis."""
    share = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(share / share.sum(axis=-1, keepdims=True))


def reconstruct(event: Arrays, settings: Mapping[str, float]) -> dict[str, Array]:
    """The answers of one event, columns as the compiled kernel names them."""
    rows = chosen(event, settings)
    y = outputs(pictures(event, settings), weights_of(event))
    share = softmax(y[:, : len(ANSWERS)])
    correction = np.clip(y[:, len(ANSWERS)], -LARGEST_CORRECTION, LARGEST_CORRECTION)
    raw = as_float64(event["trackster_energy"])[rows]
    found: dict[str, Array] = {"answer_trackster": rows.astype(np.int32)}
    for k, name in enumerate(ANSWERS):
        found[f"answer_{name}"] = share[:, k].astype(np.float32)
    found["answer_correction"] = correction.astype(np.float32)
    found["answer_energy"] = (raw * np.exp(correction)).astype(np.float32)
    return found
