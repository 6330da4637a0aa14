"""The process that serves /healthz, /readyz and /metrics, as the loop sees it: started, told, replaced, ended."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time

END_S = 2.0

MAX_CLAUSE = 1000
"""Characters of the reason for not being ready."""


class PagesError(Exception):
    """The pages cannot be served; the text says why and what to do."""


def listen(host: str | None, port: int) -> socket.socket:
    """A listening socket; without a host on all addresses, of IPv6 and IPv4 where both are there.

    Raises:
        PagesError: the port is taken, or there is no such address.
    """
    try:
        if host is None:
            both = socket.has_dualstack_ipv6()
            family = socket.AF_INET6 if both else socket.AF_INET
            return socket.create_server(("", port), family=family, dualstack_ipv6=both, backlog=64)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=64)
    except OSError as error:
        raise PagesError(
            f"cannot listen on {host or 'all addresses'}, port {port}: {error.strerror or error}: set daemon.listen and "
            "daemon.port"
        ) from error


class Pages:
    """The process.

    Args:
        listening: of `listen`; kept open, so that a process that died can be replaced.
        unhealthy_after_s: age of the last message at which /healthz turns.
    """

    def __init__(self, listening: socket.socket, unhealthy_after_s: float) -> None:
        self.listening = listening
        self.port = int(listening.getsockname()[1])
        self._unhealthy_after_s = unhealthy_after_s
        self._channel: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._last: tuple[bytes, bytes] | None = None

    @property
    def pid(self) -> int:
        """Its process id; 0 = it does not run."""
        return 0 if self._process is None else self._process.pid

    def start(self) -> None:
        """Start the process.

        Raises:
            OSError: there is none to be had.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            ours.setblocking(False)  # noqa: FBT003 - the only form it has
            descriptors = [self.listening.fileno(), theirs.fileno()]
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-I", "-m", "agent.daemon.page_server", *map(str, descriptors), str(self._unhealthy_after_s)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=descriptors,
            )  # fmt: skip
        self._channel = ours
        if self._last is not None:
            self._send(*self._last)

    def tell(self, *, ready: bool, why_not: str, metrics: str | None) -> None:
        """Say that the loop turns.

        Args:
            ready: whether the node has been looked at.
            why_not: one clause, if not.
            metrics: the new page; None = as before.
        """
        message = json.dumps(
            {"at": time.monotonic(), "ready": ready, "why_not": why_not[:MAX_CLAUSE]}
        ).encode()
        if metrics is None:
            self._send(message)
        else:
            self._last = (message, metrics.encode("utf-8", "replace"))
            self._send(*self._last)

    def revive(self) -> str | None:
        """Replace a process that has ended; what to log about it, or None.

        Raises:
            OSError: there is no new one to be had.
        """
        if self._process is None or self._process.poll() is None:
            return None
        code = self._process.returncode
        self.close_here()
        self.start()
        return f"the process of the pages had ended (exit status {code}) and was started again"

    def close_here(self) -> None:
        """Close the channel: in another child, or before a new process."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def stop(self) -> None:
        """End it."""
        self.close_here()
        self.listening.close()
        if self._process is not None:
            try:
                self._process.wait(END_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(END_S)
            self._process = None

    def _send(self, message: bytes, page: bytes | None = None) -> None:
        if self._channel is None:
            return
        # Full: the process does not read; it is told the next time. Gone: `revive` sees to it.
        with contextlib.suppress(OSError):
            if page is None:
                self._channel.send(message)
                return
            # A file in memory and not the message: the kernel bounds a message (net.core.wmem_max, some 400 kB).
            with open(os.memfd_create("sitecap-metrics", os.MFD_CLOEXEC), "wb") as file:  # noqa: PTH123 - it has no path
                file.write(page)
                file.flush()
                socket.send_fds(self._channel, [message], [file.fileno()])
