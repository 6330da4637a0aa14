"""Libraries that not every node has: what needs one says in a sentence how to get it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class ExtraError(Exception):
    """A library of an extra is not installed; the message says which and how to get it."""


@contextmanager
def with_prometheus_client(what: str) -> Iterator[None]:
    """For imports that need prometheus-client, of the extra `daemon`.

    Args:
        what: needs it, for the sentence.

    Raises:
        ExtraError: it is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name != "prometheus_client":
            raise
        raise ExtraError(
            f"{what} needs prometheus-client, which is not installed here: pip install 'sitecap[daemon]'"
        ) from error
