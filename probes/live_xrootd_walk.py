"""Locate and stat along the redirections without any client software, behind the host door.

A client says only that there were too many redirections; here the chain of servers is kept, so that a circle is seen as
one. Needs servers that want no authentication, since no credential is sent.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import time
from typing import Any

from probes import xrootd_wire as wire
from probes.answers import Json
from probes.live_sockets import cut_after, resolve
from probes.live_xrootd import Conversation, ServerError, log_in, said

MAX_HOPS = 16
"""XrdCl's own default for redirections (XRD_REDIRECTLIMIT)."""


def walk(host: str, port: int, path: str, timeout_s: float) -> dict[str, Json]:
    """Locate and stat a path without a client, along the redirections, where no authentication is wanted.

    The chain of servers is kept, so that a loop is recognised as one and not only as too many redirections.
    """
    began = time.perf_counter()
    deadline = began + timeout_s
    hops: list[str] = []
    outcome: dict[str, Any] = {
        "hops": hops, "loop": False, "located": None, "size_bytes": None, "step": "locate", "error": None,
        "errno_name": None, "auth_wanted": False,
    }  # fmt: skip
    try:
        located = _follow(host, port, wire.locate(5, path), deadline, None, outcome)
        if located is not None:
            outcome["located"] = [[one.kind, one.target] for one in wire.locate_reply(located)]
            outcome["step"] = "stat"
            size = _follow(host, port, wire.stat(6, path), deadline, hops, outcome)
            outcome["size_bytes"] = None if size is None else wire.stat_reply(size).size_bytes
    except (OSError, wire.WireError, ServerError) as error:
        outcome["error"], outcome["errno_name"] = said(error, began, timeout_s)
    return outcome


def _follow(
    host: str, port: int, message: bytes, deadline: float, hops: list[str] | None, outcome: dict[str, Any]
) -> bytes | None:
    """The answer of the last server of the chain; None if one of them wants authentication or the chain is a loop."""
    seen: set[tuple[str, int]] = set()
    trail: list[str] = [] if hops is None else hops
    for _ in range(MAX_HOPS + 1):
        trail.append(f"{host}:{port}")
        if (host.lower(), port) in seen:
            outcome["loop"] = True
            outcome["hops"] = trail
            return None
        seen.add((host.lower(), port))
        answer = _ask_one(host, port, message, deadline)
        if answer is None:
            outcome["auth_wanted"] = True
            return None
        if isinstance(answer, bytes):
            return answer
        host, port = answer
    outcome["loop"] = True
    outcome["hops"] = trail
    return None


def _ask_one(host: str, port: int, message: bytes, deadline: float) -> bytes | wire.Redirect | None:
    left_s = max(0.05, deadline - time.perf_counter())
    ipv4, ipv6, error, _ = resolve(host, left_s)
    assert isinstance(ipv4, list)
    assert isinstance(ipv6, list)
    addresses = [*ipv4, *ipv6]
    if not addresses:
        raise OSError(errno.EADDRNOTAVAIL, str(error or f"{host}: no address"))
    with contextlib.ExitStack() as held:
        link = held.enter_context(_connected(addresses, port, deadline))
        held.enter_context(cut_after(link, deadline))
        talk = held.enter_context(contextlib.closing(Conversation(link, deadline)))
        _, said_protocol = talk.greet()
        if said_protocol.tls_now:
            talk.secure(host)
        if log_in(talk):
            return None
        return talk.ask(message)


def _connected(addresses: list[Any], port: int, deadline: float) -> socket.socket:
    for left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
        patience_s = max(0.05, (deadline - time.perf_counter()) / left)
        try:
            link = socket.create_connection((str(address), port), timeout=patience_s)
        except OSError:
            if left == 1:
                raise
        else:
            link.settimeout(max(0.05, deadline - time.perf_counter()))
            return link
    raise AssertionError("unreachable: the last address returns or raises")
