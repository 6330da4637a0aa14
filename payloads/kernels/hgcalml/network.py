"""The network's layers and its weights, which stand in `weights.inc` and nowhere else.

Weights are integers of 12 bits times a power of two for each layer: exact in single precision, and short as text. C++ has
them as an array, Python reads the same text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

FILE = Path(__file__).parent / "weights.inc"
LARGEST = 2047
"""Of an integer weight."""

Floats32 = npt.NDArray[np.float32]
Ints16 = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Convolution:
    """3 x 3, one place of zeros around, then max(0, x)."""

    name: str
    inputs: int
    outputs: int
    stride: tuple[int, int]
    """Along layers and clusters."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of its weights: layer, cluster, input, output."""
        return (3, 3, self.inputs, self.outputs)

    def size_behind(self, size: tuple[int, int]) -> tuple[int, int]:
        """Of the picture that comes out."""
        return (size[0] - 1) // self.stride[0] + 1, (size[1] - 1) // self.stride[1] + 1


@dataclass(frozen=True)
class Dense:
    """Every output from every input."""

    name: str
    inputs: int
    outputs: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Of its weights: input, output."""
        return (self.inputs, self.outputs)


CONVOLUTIONS = (
    Convolution("convolution_1", 3, 16, (1, 2)),
    Convolution("convolution_2", 16, 32, (2, 1)),
    Convolution("convolution_3", 32, 32, (2, 2)),
    Convolution("convolution_4", 32, 32, (2, 2)),
)
HIDDEN = Dense("hidden", 7 * 2 * 32, 32)
"""Of the last picture, layer by layer, cluster by cluster, channel by channel; then max(0, x)."""
HEADS = Dense("heads", 32, 6)
"""Five scores of classes, for a softmax, and the logarithm of the energy's correction."""
LAYERS = (*CONVOLUTIONS, HIDDEN, HEADS)

Parameters = dict[str, Floats32]
"""Weights of a layer by its name, its biases by its name and ``_bias``."""


def _tensors() -> Iterator[tuple[str, tuple[int, ...]]]:
    for layer in LAYERS:
        yield layer.name, layer.shape
        yield f"{layer.name}_bias", (layer.outputs,)


COUNT = sum(int(np.prod(shape)) for _, shape in _tensors())
"""Of all weights and biases."""


def operations() -> int:
    """Multiplications (and as many additions) for one trackster, of the dense network."""
    total, size = 0, (50, 10)
    for layer in CONVOLUTIONS:
        size = layer.size_behind(size)
        total += size[0] * size[1] * int(np.prod(layer.shape))
    return total + int(np.prod(HIDDEN.shape)) + int(np.prod(HEADS.shape))


def parameters(weights: Ints16, exponents: Ints16) -> Parameters:
    """Of integers in the order of the file, and the powers of two of its tensors.

    Raises:
        ValueError: there are not as many as the network has.
    """
    if len(weights) != COUNT or len(exponents) != 2 * len(LAYERS):
        raise ValueError(f"the network has {COUNT} weights in {2 * len(LAYERS)} tensors, not {len(weights)}")
    found: Parameters = {}
    at = 0
    for (name, shape), exponent in zip(_tensors(), exponents, strict=True):
        size = int(np.prod(shape))
        values = np.ldexp(weights[at : at + size].astype(np.float64), int(exponent))
        found[name] = values.astype(np.float32).reshape(shape)
        at += size
    return found


def read(path: Path = FILE) -> tuple[Ints16, Ints16]:
    """Integer weights in the order of the file, and the powers of two of its tensors."""
    arrays = re.findall(r"\{([^{}]*)\}", path.read_text("ascii"))
    exponents, weights = (np.array(text.replace("\n", "").split(","), dtype=np.int16) for text in arrays)
    return weights, exponents


def rounded(exact: Parameters) -> tuple[Ints16, Ints16]:
    """Integers and powers of two nearest to these weights."""
    weights, exponents = [], []
    for name, _ in _tensors():
        largest = max(float(np.abs(exact[name]).max()), 1e-6)
        exponent = int(np.ceil(np.log2(largest / LARGEST)))
        exponents.append(exponent)
        weights.append(np.rint(np.ldexp(exact[name].astype(np.float64).ravel(), -exponent)).astype(np.int16))
    return np.concatenate(weights), np.array(exponents, dtype=np.int16)


def text_of(weights: Ints16, exponents: Ints16) -> str:
    """`weights.inc`."""
    lines = [", ".join(map(str, weights[at : at + 20])) for at in range(0, len(weights), 20)]
    return (
        "// Made by python -m payloads.kernels.hgcalml.training: see training/data.md. Tensors in the order of "
        "network.py.\n"
        f"inline constexpr i16 weight_exponents[{len(exponents)}] = {{{', '.join(map(str, exponents))}}};\n"
        f"inline constexpr i16 weight_integers[{len(weights)}] = {{\n" + ",\n".join(lines) + "};\n"
    )
