"""Trains the network and writes `weights.inc` and `training/curve.csv`; prints what it does.

Everything random follows one seed, and the products of matrices are made by one thread, so that one machine and NumPy give
the same bits each time. The last bits of a product are the BLAS's own: another NumPy, or another processor, gives other
weights of the same quality.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from payloads.kernels.hgcalml import network
from payloads.kernels.hgcalml.training import data, learning

SEED = 7
BATCH = 128
RATE = 2e-3
EPOCHS = 8
CURVE = Path(__file__).parent / "curve.csv"
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""Read by NumPy's BLAS when it is loaded. More threads than one do not even make it faster: the matrices are narrow."""
COLUMNS = "epoch,learning_rate,class_loss,energy_loss,validation_class_loss,validation_energy_loss,validation_accuracy"


def main(arguments: Sequence[str] | None = None) -> int:
    """Train; 0."""
    parser = argparse.ArgumentParser(
        prog="python -m payloads.kernels.hgcalml.training", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="over which the rate falls")
    chosen = parser.parse_args(arguments)
    learn, judge = data.all_samples()
    counts = np.bincount(learn.kind, minlength=learning.CLASSES)
    sys.stdout.write(f"{len(learn.kind)} tracksters to learn from, {counts.tolist()} by class\n")
    # rare classes weigh more, by the root of how rare: enough to be learnt, not enough to be guessed everywhere
    class_weight = np.sqrt(len(learn.kind) / learning.CLASSES / np.maximum(counts, 1)).astype(np.float32)
    weights, adam = learning.start(SEED), learning.Adam()
    rng = np.random.default_rng(SEED)
    steps = len(learn.kind) // BATCH
    rows = [COLUMNS]
    for epoch in range(chosen.epochs):
        began = time.perf_counter()
        order = rng.permutation(len(learn.kind))
        losses = []
        rate = 0.0
        for step in range(steps):
            done = (epoch * steps + step) / (chosen.epochs * steps)
            rate = RATE * min(1.0, 20 * done + 0.05) * 0.5 * (1 + math.cos(math.pi * done))
            batch = learn.take(order[step * BATCH : (step + 1) * BATCH])
            entropy, huber, gradient = learning.gradients(weights, batch, class_weight)
            losses.append((entropy, huber))
            adam.step(weights, gradient, rate)
        y = learning.outputs(weights, judge.picture)
        entropy, huber, _ = learning.loss_of(y, judge, class_weight)
        right = float((y[:, : learning.CLASSES].argmax(axis=1) == judge.kind).mean())
        mean = np.mean(losses, axis=0)
        rows.append(
            f"{epoch + 1},{rate:.2e},{mean[0]:.4f},{mean[1]:.4f},{entropy:.4f},{huber:.4f},{right:.4f}"
        )
        sys.stdout.write(f"{rows[-1]}  ({time.perf_counter() - began:.0f} s)\n")
        sys.stdout.flush()
        network.FILE.write_text(network.text_of(*network.rounded(weights)), "ascii")
        CURVE.write_text("\n".join(rows) + "\n", "ascii")
    return 0


if __name__ == "__main__":
    if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):
        # the BLAS is loaded by now, with as many threads as processors: once more from the start
        os.execve(sys.executable, sys.orig_argv, {**os.environ, **ONE_THREAD})  # noqa: S606 - itself
    raise SystemExit(main())
