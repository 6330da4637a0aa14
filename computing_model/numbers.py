"""The numbers of a plan by dotted key, each a float or one value a sample."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from computing_model.errors import ModelError
from computing_model.parameters import Parameters

Array = NDArray[np.float64]


class Numbers:
    """Leaves of the assumptions that are numbers, some of them replaced by samples.

    Args:
        parameters: the assumptions.
        samples: dotted key → values, shape (samples,).

    Raises:
        ModelError: a key of `samples` is no number of the assumptions.
    """

    def __init__(self, parameters: Parameters, samples: Mapping[str, Array] | None = None) -> None:
        self._values: dict[str, float | Array] = dict(leaves(parameters))
        self._sampled = frozenset(samples or ())
        self._read: set[str] = set()
        for key, values in (samples or {}).items():
            check_key(key, self._values)
            self._values[key] = np.asarray(values, dtype=float)[:, np.newaxis]

    def __call__(self, key: str) -> Any:  # noqa: ANN401 - a float, or an array of one value a sample
        """The number: a float, or an array of shape (samples, 1)."""
        self._read.add(key)
        return self._values[key]

    def idle(self) -> tuple[str, ...]:
        """Sampled keys that nothing has read: to vary them changes nothing."""
        return tuple(sorted(self._sampled - self._read))

    def curve(self, prefix: str, at: float | Array) -> Any:  # noqa: ANN401
        """A curve, e.g. of sizes by pile-up, at one place; constant beyond its ends.

        Args:
            prefix: key of the curve, e.g. "tier.RAW.size_mb.phase2".
            at: pile-up; a float, or an array of shape (samples, 1).

        Returns:
            A float or an array of shape (samples, 1).
        """
        points = sorted(
            (int(key.rpartition(".")[2]), key) for key in self._values if key.startswith(f"{prefix}.")
        )
        self._read.update(key for _, key in points)
        value: Any = self._values[points[0][1]]
        for (left, left_key), (right, right_key) in pairwise(points):
            share = np.clip((at - left) / (right - left), 0.0, 1.0)
            value = value + share * (self._values[right_key] - self._values[left_key])
        return value


def leaves(model: BaseModel, prefix: str = "") -> Iterator[tuple[str, float]]:
    """Dotted key and value of every number below a part of the assumptions."""
    for name in type(model).model_fields:
        yield from _of(getattr(model, name), f"{prefix}{name}")


def _of(value: Any, key: str) -> Iterator[tuple[str, float]]:  # noqa: ANN401 - any part
    if isinstance(value, BaseModel):
        yield from leaves(value, f"{key}.")
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _of(inner, f"{key}.{name}")
    elif isinstance(value, tuple):
        for index, inner in enumerate(value):
            yield from _of(inner, f"{key}.{index}")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield key, float(value)


def check_key(key: str, known: Mapping[str, Any]) -> None:
    """Refuse a key that is no number of the assumptions.

    Raises:
        ModelError: it names the key and the nearest right one.
    """
    if key not in known:
        close = difflib.get_close_matches(key, list(known), n=1, cutoff=0.5)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise ModelError(f"there is no number {key!r} among the assumptions{hint}")
