"""Where a job wakes up: container runtime, operating system, C library, load, and the site's name."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Final

from probes import context_checks, context_names, context_runtime, context_site
from probes.errors import HostError
from probes.host import KIB, Host
from probes.settings import Settings
from probes.spec import Probe
from profiles.facts.context import ContextFacts, Pressure

CHECKS: Final = context_checks.CHECKS

OS_RELEASE: Final = ("/etc/os-release", "/usr/lib/os-release")
LIBC_DIRECTORIES: Final = (
    "/lib64",
    "/lib/x86_64-linux-gnu",
    "/lib/aarch64-linux-gnu",
    "/lib/powerpc64le-linux-gnu",
    "/lib",
)
LDD_TIMEOUT_S: Final = 2.0
PRESSURES: Final = ("cpu", "io", "memory")
TEXT_LIMIT: Final = 256

_LINK = re.compile(r"(?:.*/)?libc-([0-9]{1,3}\.[0-9]{1,3})(?:\.[0-9]+)?\.so")
_LDD = re.compile(r"\b(?:glibc|gnu libc|libc)\b.*?\b([0-9]{1,3}\.[0-9]{1,3})\s*$", re.IGNORECASE)
_MUSL = re.compile(r"musl libc.*?\bVersion ([0-9]+\.[0-9]+(?:\.[0-9]+)?)", re.IGNORECASE | re.DOTALL)
_AVERAGE = re.compile(r"(some|full) (?:avg10=\S{1,16} )avg60=([0-9]{1,3}(?:\.[0-9]{1,4})?)\b")
_ASSIGNMENT = re.compile(r"([A-Z][A-Z0-9_]{0,63})=(.*)")


def gather(host: Host, settings: Settings) -> ContextFacts:
    """Read what names this environment; the name look-up is left out where nothing may leave the node."""
    absent: dict[str, str] = {}
    runtime, evidence = context_runtime.detect(host)
    if runtime is None:
        absent["runtime"] = "neither /proc/self/mountinfo nor /proc/1/cgroup can be read"
    release = _os_release(host, absent)
    libc, libc_source = _image_libc(host)
    if libc is None:
        absent["libc"] = absent["libc_source"] = "no libc.so.6 link names a version and ldd does not say"
    loads = _loads(host, absent)
    pressure = _pressures(host)
    if not pressure:
        absent["pressure"] = "the kernel keeps no pressure stall information that can be read"
    return ContextFacts(
        runtime=runtime,
        runtime_evidence=evidence,
        os_id=release["ID"],
        os_version=release["VERSION_ID"],
        os_pretty_name=release["PRETTY_NAME"],
        kernel_release=_kernel(host, absent),
        libc=libc,
        libc_source=libc_source,
        agent_libc=_agent_libc(host, absent),
        load_1min=loads[0],
        load_5min=loads[1],
        load_15min=loads[2],
        pressure=pressure or None,
        site_names=context_site.names(host, settings),
        **_host_name(host, settings, absent),
        absent=absent,
    )


def parse_os_release(text: str) -> dict[str, str]:
    """The assignments of an os-release file, unquoted: os-release(5). Other lines are left out."""
    values: dict[str, str] = {}
    for line in text.splitlines():
        match = _ASSIGNMENT.fullmatch(line.strip())
        if match is None:
            continue
        value = match[2].strip()
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
            value = re.sub(r"\\(.)", r"\1", value[1:-1])
        value = "".join(letter for letter in value if letter.isprintable())[:TEXT_LIMIT]
        if value:
            values[match[1]] = value
    return values


def _os_release(host: Host, absent: dict[str, str]) -> dict[str, str | None]:
    fields = {"ID": "os_id", "VERSION_ID": "os_version", "PRETTY_NAME": "os_pretty_name"}
    reason = ""
    for path in OS_RELEASE:
        try:
            values = parse_os_release(host.read_text(path, limit_bytes=64 * KIB))
        except HostError as error:
            reason = reason or error.text
            continue
        for key, field in fields.items():
            if key not in values:
                absent[field] = f"{path} has no {key}"
        return {key: values.get(key) for key in fields}
    absent.update(dict.fromkeys(fields.values(), reason))
    return dict.fromkeys(fields)


def _kernel(host: Host, absent: dict[str, str]) -> str | None:
    try:
        return host.system_name().release[:TEXT_LIMIT]
    except HostError as error:
        absent["kernel_release"] = error.text
        return None


def _agent_libc(host: Host, absent: dict[str, str]) -> str | None:
    try:
        found = host.libc_version()
    except HostError as error:
        absent["agent_libc"] = error.text
        return None
    if found is None:
        absent["agent_libc"] = "the agent's C library does not say"
    return found


def _image_libc(host: Host) -> tuple[str | None, str | None]:
    """C library of the programs here and how it was found; the agent's own may be a carried one.

    Up to EL8 libc.so.6 is a link whose target has the version in its name; later it is the library itself, so
    ldd is asked, which belongs to the image.
    """
    for directory in LIBC_DIRECTORIES:
        path = f"{directory}/libc.so.6"
        try:
            target = host.read_link(path)
        except HostError:
            continue
        if (match := _LINK.fullmatch(target)) is not None:
            return f"glibc {match[1]}", f"{path} is a link to {target[:TEXT_LIMIT]}"
    try:
        answer = host.run(["ldd", "--version"], timeout_s=LDD_TIMEOUT_S, limit_bytes=16 * KIB)
    except HostError:
        return None, None
    first = answer.stdout.partition("\n")[0].strip()
    if (match := _LDD.search(first)) is not None:
        return f"glibc {match[1]}", "ldd --version"
    # musl's ldd knows no options; it prints its version on stderr with its usage.
    if (match := _MUSL.search(answer.stdout + answer.stderr)) is not None:
        return f"musl {match[1]}", "ldd --version"
    return None, None


def _loads(host: Host, absent: dict[str, str]) -> tuple[float | None, float | None, float | None]:
    fields = ("load_1min", "load_5min", "load_15min")
    try:
        words = host.read_text("/proc/loadavg", limit_bytes=4 * KIB).split()[:3]
        one, five, fifteen = (float(word) for word in words)
    except HostError as error:
        absent.update(dict.fromkeys(fields, error.text))
        return None, None, None
    except ValueError:
        absent.update(dict.fromkeys(fields, "/proc/loadavg does not begin with three numbers"))
        return None, None, None
    if not all(math.isfinite(load) and 0 <= load <= 1e7 for load in (one, five, fifteen)):
        absent.update(dict.fromkeys(fields, "/proc/loadavg has a number that no load can be"))
        return None, None, None
    return one, five, fifteen


def _pressures(host: Host) -> tuple[Pressure, ...]:
    found = []
    for resource in PRESSURES:
        text = host.read_text_or_none(f"/proc/pressure/{resource}", limit_bytes=4 * KIB) or ""
        averages = {kind: min(float(percent), 100.0) for kind, percent in _AVERAGE.findall(text)}
        if "some" in averages:
            found.append(
                Pressure(resource=resource, some_percent=averages["some"], full_percent=averages.get("full"))
            )
    return tuple(found)


def _host_name(host: Host, settings: Settings, absent: dict[str, str]) -> Mapping[str, bool | None]:
    if settings.site_profile == "no-outbound":
        absent.update(dict.fromkeys(context_names.FIELDS, context_checks.NO_OUTBOUND))
        return dict.fromkeys(context_names.FIELDS)
    return context_names.resolves(host, absent)


PROBE = Probe(
    name="context",
    title="Container runtime, operating system, load, site",
    section="Environment",
    facts_model=ContextFacts,
    gather=gather,
    judge=context_checks.judge,
    summarise=context_checks.summarise,
    checks=CHECKS,
    # Three look-ups of 1 s, ldd and CVMFS of 2 s each may all run into their own deadlines.
    deadline_s=10.0,
)
