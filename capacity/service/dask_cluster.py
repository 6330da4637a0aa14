"""The one place that knows Dask: pieces of work spread over a cluster, results in their order."""

from __future__ import annotations

import itertools
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any, TypeVar

from capacity.errors import BadInputError, UnavailableError

LOCAL = "local"
_CONNECT_S = 10
_AHEAD = 4
"""Pieces under way for each worker: enough to keep it busy, few enough for the results to fit."""

P = TypeVar("P")
S = TypeVar("S")
R = TypeVar("R")


def mapped(work: Callable[[P, S], R], pieces: Sequence[P], shared: S, scheduler: str) -> Iterator[R]:
    """`work(piece, shared)` of every piece, in order; `shared` is sent to each worker once.

    Args:
        work: a function of a module that the workers have as well.
        pieces: small to send.
        shared: the same for all.
        scheduler: "local", or the address of a Dask scheduler.

    Raises:
        BadInputError: Dask is not installed, or the address is none.
        UnavailableError: the scheduler does not answer.
    """
    try:
        from distributed import Client, LocalCluster  # noqa: PLC0415 - an extra, and slow to load
    except ModuleNotFoundError:
        raise BadInputError(
            "a scheduler needs the library Dask: pip install 'sitecap[dask]', or leave --scheduler away"
        ) from None
    with ExitStack() as stack:
        if scheduler == LOCAL:
            # No dashboard; its place is any free port all the same, or two of us would quarrel about Dask's own.
            cluster = LocalCluster(  # type: ignore[no-untyped-call]
                threads_per_worker=1,
                processes=True,
                dashboard_address=None,
                scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
            )
            address: Any = stack.enter_context(cluster)
        else:
            address = scheduler
        client = stack.enter_context(_connected(Client, address, scheduler))
        sent = client.scatter(shared, broadcast=True, hash=False)
        workers = max(len(client.scheduler_info(n_workers=-1)["workers"]), 1)
        waiting = iter(pieces)
        under_way = deque(
            client.submit(work, piece, sent, pure=False)
            for piece in itertools.islice(waiting, _AHEAD * workers)
        )
        while under_way:
            yield _result(under_way.popleft(), scheduler)
            under_way.extend(
                client.submit(work, piece, sent, pure=False) for piece in itertools.islice(waiting, 1)
            )


def _connected(client: Callable[..., Any], address: object, scheduler: str) -> Any:  # noqa: ANN401 - a Client
    try:
        with warnings.catch_warnings():
            # Versions that differ between client and workers are told by Dask itself on its log.
            warnings.simplefilter("ignore", UserWarning)
            return client(address, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, TimeoutError) as error:
        raise UnavailableError(
            f"the Dask scheduler {scheduler[:100]} does not answer ({type(error).__name__}): start it, or correct the address"
        ) from error
    except ValueError as error:
        raise BadInputError(
            f"{scheduler[:100]!r} is not the address of a Dask scheduler: write tcp://HOST:8786, or local"
        ) from error


def _result(future: Any, scheduler: str) -> Any:  # noqa: ANN401 - a Future and what it holds
    from distributed import KilledWorker  # noqa: PLC0415 - as above
    from distributed.client import FutureCancelledError  # noqa: PLC0415

    try:
        return future.result()
    except (KilledWorker, FutureCancelledError) as error:
        raise UnavailableError(
            f"the Dask cluster {scheduler[:100]} lost a piece of the work ({type(error).__name__}): see the log of its workers"
        ) from error
