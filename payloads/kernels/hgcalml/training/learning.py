"""Forward, backward and steps of the network in single precision: convolutions as products of matrices."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from payloads.kernels.hgcalml import network
from payloads.kernels.hgcalml.network import Convolution, Floats32, Parameters
from payloads.kernels.hgcalml.training.data import Sample

CLASSES = 5
ENERGY_WEIGHT = 2.0
"""Of the energy's loss beside the classes'."""
HUBER = 0.2
"""Distance of log ratios from which the loss grows linearly."""


def start(seed: int) -> Parameters:
    """He's initial weights (K. He et al., arXiv:1502.01852); biases 0."""
    rng = np.random.default_rng(seed)
    found: Parameters = {}
    for layer in network.LAYERS:
        fan_in = int(np.prod(layer.shape[:-1]))
        found[layer.name] = (rng.standard_normal(layer.shape) * np.sqrt(2 / fan_in)).astype(np.float32)
        found[f"{layer.name}_bias"] = np.zeros(layer.outputs, dtype=np.float32)
    found[network.HEADS.name] *= np.float32(0.1)
    return found


def _patches(x: Floats32, layer: Convolution) -> Floats32:
    """(n * rows * columns, 9 * inputs): what each place of the output sees."""
    n, rows, columns, channels = x.shape
    out = layer.size_behind((rows, columns))
    padded = np.zeros((n, rows + 2, columns + 2, channels), dtype=x.dtype)
    padded[:, 1:-1, 1:-1] = x
    down, along = layer.stride
    seen = np.empty((n, *out, 9, channels), dtype=x.dtype)
    for k in range(9):
        i, j = divmod(k, 3)
        seen[:, :, :, k] = padded[
            :, i : i + down * (out[0] - 1) + 1 : down, j : j + along * (out[1] - 1) + 1 : along
        ]
    return seen.reshape(-1, 9 * channels)


def _unpatched(seen: Floats32, shape: tuple[int, ...], layer: Convolution) -> Floats32:
    """The gradient of the input from that of the patches."""
    n, rows, columns, channels = shape
    out = layer.size_behind((rows, columns))
    seen = seen.reshape(n, *out, 9, channels)
    padded = np.zeros((n, rows + 2, columns + 2, channels), dtype=seen.dtype)
    down, along = layer.stride
    for k in range(9):
        i, j = divmod(k, 3)
        padded[:, i : i + down * (out[0] - 1) + 1 : down, j : j + along * (out[1] - 1) + 1 : along] += seen[
            :, :, :, k
        ]
    return padded[:, 1:-1, 1:-1]


def outputs(weights: Parameters, picture: Floats32, batch: int = 512) -> Floats32:
    """(n, 6): scores of the classes and the logarithm of the energy's correction."""
    return np.concatenate(
        [_forward(weights, picture[at : at + batch], []) for at in range(0, len(picture), batch)]
    )


Kept = list[tuple[Floats32, Floats32, tuple[int, ...]]]
"""Of each layer: what it saw, what came out, the shape of what went in."""


def _forward(weights: Parameters, x: Floats32, kept: Kept) -> Floats32:
    for layer in network.CONVOLUTIONS:
        seen = _patches(x, layer)
        y = seen @ weights[layer.name].reshape(-1, layer.outputs) + weights[f"{layer.name}_bias"]
        np.maximum(y, 0, out=y)
        kept.append((seen, y, x.shape))
        x = y.reshape(len(x), *layer.size_behind((x.shape[1], x.shape[2])), layer.outputs)
    flat = x.reshape(len(x), -1)
    hidden = np.maximum(flat @ weights["hidden"] + weights["hidden_bias"], 0)
    kept.append((flat, hidden, x.shape))
    return np.asarray(hidden @ weights["heads"] + weights["heads_bias"])


def loss_of(y: Floats32, sample: Sample, class_weight: Floats32) -> tuple[float, float, Floats32]:
    """Mean cross entropy (classes weighted), mean Huber loss of the energy, and the gradient of their sum."""
    n = len(y)
    scores = y[:, :CLASSES] - y[:, :CLASSES].max(axis=1, keepdims=True)
    share = np.exp(scores)
    share /= share.sum(axis=1, keepdims=True)
    of = class_weight[sample.kind]
    entropy = float((-np.log(np.maximum(share[np.arange(n), sample.kind], 1e-12)) * of).mean())
    gradient = np.zeros_like(y)
    gradient[:, :CLASSES] = share
    gradient[np.arange(n), sample.kind] -= 1
    gradient[:, :CLASSES] *= of[:, None] / n
    off = (y[:, CLASSES] - sample.log_ratio) * sample.has_energy
    bounded = np.clip(off, -HUBER, HUBER)
    having = max(float(sample.has_energy.sum()), 1.0)
    huber = float((bounded * (off - bounded / 2)).sum() / having / HUBER)
    gradient[:, CLASSES] = ENERGY_WEIGHT * bounded / HUBER / having
    return entropy, huber, gradient


def gradients(weights: Parameters, sample: Sample, class_weight: Floats32) -> tuple[float, float, Parameters]:
    """Both losses of a batch, and the gradient of every weight."""
    kept: Kept = []
    y = _forward(weights, sample.picture, kept)
    entropy, huber, up = loss_of(y, sample, class_weight)
    found: Parameters = {}
    flat, hidden, shape = kept.pop()
    found["heads"], found["heads_bias"] = hidden.T @ up, up.sum(axis=0)
    up = (up @ weights["heads"].T) * (hidden > 0)
    found["hidden"], found["hidden_bias"] = flat.T @ up, up.sum(axis=0)
    down: npt.NDArray[np.float32] = (up @ weights["hidden"].T).reshape(shape)
    for layer in reversed(network.CONVOLUTIONS):
        seen, out, shape = kept.pop()
        up = down.reshape(out.shape) * (out > 0)
        found[layer.name] = (seen.T @ up).reshape(layer.shape)
        found[f"{layer.name}_bias"] = up.sum(axis=0)
        if layer is not network.CONVOLUTIONS[0]:
            back = up @ weights[layer.name].reshape(-1, layer.outputs).T
            down = _unpatched(back, shape, layer)
    return entropy, huber, found


@dataclass
class Adam:
    """D. Kingma, J. Ba, arXiv:1412.6980, its constants."""

    mean: Parameters = field(default_factory=dict)
    square: Parameters = field(default_factory=dict)
    steps: int = 0

    def step(self, weights: Parameters, gradient: Parameters, rate: float) -> None:
        """Move the weights, in place."""
        self.steps += 1
        correction = np.sqrt(1 - 0.999**self.steps) / (1 - 0.9**self.steps)
        for name, g in gradient.items():
            mean = self.mean.setdefault(name, np.zeros_like(g))
            square = self.square.setdefault(name, np.zeros_like(g))
            mean += np.float32(0.1) * (g - mean)
            square += np.float32(0.001) * (g * g - square)
            weights[name] -= np.float32(rate * correction) * mean / (np.sqrt(square) + np.float32(1e-8))
