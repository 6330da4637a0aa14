"""Whether a path in a mount that may hang answers at all, found out by a process that can be left behind.

A library for probes, not a probe. Who asks a dead network file system sleeps in the kernel and may not even be killed.
The probe of the mount itself takes that risk, for its hang is the finding; every other probe that only wants a file from
there asks here first, so that its own findings are not lost with the mount.
"""

from __future__ import annotations

from probes.errors import HostError
from probes.host import Host

PATIENCE_S = 5.0
"""A repository that has to be mounted first takes some seconds."""


def hangs(host: Host, path: str, *, patience_s: float = PATIENCE_S) -> bool:
    """Whether stat(2) of a path does not return in time; False also where it cannot be tried."""
    try:
        host.run(["stat", "-L", path], timeout_s=patience_s, limit_bytes=8192)
    except HostError as error:
        return error.errno_name == "ETIMEDOUT"
    return False
