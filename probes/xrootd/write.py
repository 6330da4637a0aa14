"""STO-01: write a small file, check it, delete it. Only where the configuration names a directory for it."""

from __future__ import annotations

import secrets
import time
from functools import partial

from probes import live_xrootd_clients
from probes.answers import Json
from probes.errors import HostError
from probes.host import Host
from probes.remote_settings import XrootdSettings
from probes.xrootd import faults
from probes.xrootd.doors import parsed
from probes.xrootd.facts import checksum, clean
from profiles.facts.xrootd import XrootdClients, XrootdWrite

WRITE_BYTES = 1_000_000
LEAST_S = 5.0
"""A write that has less time is not begun, because it could not be cleaned up."""

WANTED = ("create", "write", "read back", "delete")


def write(
    host: Host, wanted: XrootdSettings, clients: XrootdClients, deadline: float
) -> tuple[XrootdWrite | None, str | None]:
    """What became of the test, or why it was not made; `deadline` is of time.perf_counter."""
    if wanted.write_url is None:
        return None, "xrootd.write_url is not set: nothing is written unless it is asked for"
    door = parsed(wanted.write_url, "local", None, "xrootd.write_url")
    if door is None:
        return None, "xrootd.write_url is not of the form root://host:port//directory"
    if clients.bindings is None:
        return None, "the write test needs XRootD's Python bindings (pip install sitecap[xrootd])"
    left_s = deadline - time.perf_counter()
    if left_s < LEAST_S:
        return None, "the time for this probe was used up before the write test"
    job = {
        "url": door.url,
        "path": f"{door.path.rstrip('/')}/.sitecap-{secrets.token_hex(8)}",
        "timeouts": live_xrootd_clients.timeouts(
            wanted.connect_timeout_s, min(wanted.request_timeout_s, left_s / 3)
        ),
        "write_bytes": WRITE_BYTES,
    }
    try:
        live = partial(live_xrootd_clients.by_bindings, job, left_s)
        answer = host.observe("xrootd_write", [door.host, door.port], live)
    except HostError as error:
        return None, error.text
    return _facts(door.target, answer), None


def _facts(target: str, answer: Json) -> XrootdWrite:
    lines = answer if isinstance(answer, list) else []
    steps = {str(line["step"]): line for line in lines if isinstance(line, dict) and "step" in line}
    broken = next(
        ((name, one) for name, one in steps.items() if one.get("error") is not None and name != "checksum"),
        None,
    )
    fault = faults.of_client(broken[1].get("error")) if broken else None
    if fault is None and steps.get("read back", {}).get("same") is False:
        fault = faults.Fault("wrong-data", "what was read back differs from what was written")
    sums = checksum(steps)
    made = "create" in steps and steps["create"].get("error") is None
    deleted = "delete" in steps and steps["delete"].get("error") is None
    same = sums.read == sums.server if sums is not None and sums.read is not None else None
    if fault is None and same is False:
        fault = faults.Fault("checksum", faults.SAID["checksum"])
    where = f"{broken[0]}: " if broken else ""
    return XrootdWrite(
        target=target,
        steps=tuple(name for name in WANTED if name in steps and steps[name].get("error") is None),
        fault=None if fault is None else fault.kind,
        detail=None if fault is None else clean(where + fault.detail),
        checksum_same=same,
        left_behind=made and not deleted,
    )
