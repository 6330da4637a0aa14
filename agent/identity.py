"""Names of things: the profile's id, and the pseudonym of the node."""

from __future__ import annotations

import hashlib
import os
from datetime import datetime
from uuid import UUID

from probes.errors import HostError
from probes.host import Host
from profiles.facts.batch import BatchFacts
from profiles.profile import NodeInfo

_APPLICATION = "sitecap node identity 1"
"""Hashed with the identity, so that our pseudonym cannot be joined with another program's hash of the same id."""


def profile_id(now: datetime) -> str:
    """A UUID version 7 (RFC 9562 section 5.7): 48 bits of milliseconds since 1970, then random bits."""
    milliseconds = int(now.timestamp() * 1000) & (2**48 - 1)
    random = int.from_bytes(os.urandom(10), "big")
    number = milliseconds << 80 | 0x7 << 76 | (random >> 68 & 0xFFF) << 64 | 0b10 << 62 | random & (2**62 - 1)
    return str(UUID(int=number))


def node_identity(host: Host, batch: BatchFacts | None, *, in_container: bool, identify: bool) -> NodeInfo:
    """A stable pseudonym of the node.

    The name that the batch system gives the node comes first: inside a container, host name and machine id are often
    those of the image, and two nodes must not become one. Then the host name, with the machine id where it is the
    node's own. The names themselves are not in the profile unless `identify`.
    """
    basis: list[str] = []
    parts: list[str] = []
    claims = batch.claims if batch else ()
    named = next((claim for claim in claims if claim.node_name), None)
    name = _name(host)
    if named is not None and named.node_name:
        parts.append(named.node_name)
        basis.append(f"node name given by {named.source.value}")
    elif name:
        parts.append(name)
        basis.append("host name")
    if not in_container and named is None:
        machine = host.read_text_or_none("/etc/machine-id", limit_bytes=256)
        if machine and machine.strip():
            parts.append(machine.strip())
            basis.append("machine id")
    if not parts:
        basis.append("nothing: this node has no name")
    return NodeInfo(
        id=_pseudonym(*parts),
        id_basis=tuple(basis),
        hostname=name if identify else None,
        boot_key=_boot_key(host),
    )


def _boot_key(host: Host) -> str | None:
    """The kernel's boot number is the same in every container of a machine, and another after each start of it."""
    boot = host.read_text_or_none("/proc/sys/kernel/random/boot_id", limit_bytes=256)
    return _pseudonym("boot", boot.strip()) if boot and boot.strip() else None


def _pseudonym(*parts: str) -> str:
    return hashlib.sha256("\0".join([_APPLICATION, *parts]).encode()).hexdigest()[:32]


def _name(host: Host) -> str | None:
    try:
        return host.system_name().node or None
    except HostError:
        return None
