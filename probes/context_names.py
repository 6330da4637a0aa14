"""Whether the host's name resolves, forwards and back, without keeping the name. Part of the context probe.

The resolver knows no deadline, so it is asked beside us and left behind when it does not answer in time.
"""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Mapping
from typing import Final

from probes.errors import HostError
from probes.host import Host

TIMEOUT_S: Final = 1.0
FIELDS: Final = ("name_is_qualified", "name_resolves", "name_is_loopback_only", "address_names_host")


def resolves(host: Host, absent: dict[str, str]) -> Mapping[str, bool | None]:
    """The four facts about the host's name; reasons for those that are not known go into `absent`."""
    facts: dict[str, bool | None] = dict.fromkeys(FIELDS)
    try:
        name = _full_name(host)
        answer = host.resolve(name, timeout_s=TIMEOUT_S)
    except HostError as error:
        for field in FIELDS:
            absent[field] = _nameless(error)
        return facts
    addresses = [*answer.ipv4, *answer.ipv6]
    outside = [address for address in addresses if not _is_loopback(address)]
    facts["name_is_qualified"] = "." in name.strip(".")
    facts["name_resolves"] = bool(addresses)
    if not addresses:
        absent["name_is_loopback_only"] = absent["address_names_host"] = "the name has no address"
        return facts
    facts["name_is_loopback_only"] = not outside
    if not outside:
        absent["address_names_host"] = "the name has no address but that of the loopback"
        return facts
    try:
        facts["address_names_host"] = _leads_back(host, outside[0], name)
    except HostError as error:
        absent["address_names_host"] = _nameless(error)
    return facts


def _full_name(host: Host) -> str:
    found: list[str] = []
    failed: list[HostError] = []

    def ask() -> None:
        try:
            found.append(host.fqdn())
        except HostError as error:
            failed.append(error)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(TIMEOUT_S)
    if failed:
        raise failed[0]
    if not found:
        raise HostError("ETIMEDOUT", f"the resolver did not answer within {TIMEOUT_S:g} s")
    return found[0]


def _leads_back(host: Host, address: str, name: str) -> bool:
    """Whether getent(1), which asks as every program does (files, DNS, LDAP), finds the name by the address."""
    answer = host.run(["getent", "hosts", address], timeout_s=TIMEOUT_S)
    known = {word.lower().strip(".") for word in answer.stdout.split()[1:]}
    return name.lower().strip(".") in known


def _nameless(error: HostError) -> str:
    """A reason without the question in it, which would hold the name or the address."""
    if error.errno_name == "ETIMEDOUT":
        return f"the resolver did not answer within {TIMEOUT_S:g} s"
    if error.is_absent:
        return "there is no getent here, or it was not recorded"
    return f"the resolver failed ({error.errno_name})"


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False
