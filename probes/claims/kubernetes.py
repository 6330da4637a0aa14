"""What Kubernetes says of this pod: the downward API, as variables or as files of a volume.

The names are the site's choice, so they are configurable; the defaults are those of the Kubernetes
documentation ("Expose Pod Information to Containers"). Two traps: a container without a limit is told the
node's allocatable resources, and the number is in units of the `divisor` of the pod's manifest, which only
the manifest knows.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final, NamedTuple

from probes.claims.reading import MAX_BYTES, MAX_CORES, Reading, shown
from probes.host import KIB, Host
from probes.settings import KubernetesSettings
from profiles.facts.batch import ClaimSource, JobIdKind, SlotClaim

_QUANTITY = re.compile(r"([0-9]{1,20}(?:\.[0-9]{1,9})?)(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?")
_FACTORS: Final = {
    "": Decimal(1),
    "m": Decimal("0.001"),
    **{letter: Decimal(1000) ** power for power, letter in enumerate("kMGTP", start=1)},
    **{f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTP", start=1)},
}


class PodNames(NamedTuple):
    """Where a pod's manifest puts what the downward API tells; the first that is there counts."""

    cpu_limit: tuple[str, ...] = ("MY_CPU_LIMIT", "CPU_LIMIT", "LIMITS_CPU")
    memory_limit: tuple[str, ...] = ("MY_MEM_LIMIT", "MEMORY_LIMIT", "MEM_LIMIT", "LIMITS_MEMORY")
    ephemeral_storage_limit: tuple[str, ...] = ("EPHEMERAL_STORAGE_LIMIT", "LIMITS_EPHEMERAL_STORAGE")
    node_name: tuple[str, ...] = ("MY_NODE_NAME", "NODE_NAME")
    pod_name: tuple[str, ...] = ("MY_POD_NAME", "POD_NAME")
    directory: str = "/etc/podinfo"
    cpu_limit_file: str = "cpu_limit"
    memory_limit_file: str = "mem_limit"
    cpu_divisor: str = "1"
    """`divisor` of limits.cpu in the manifest, e.g. "1m"."""
    memory_divisor: str = "1"
    """`divisor` of limits.memory in the manifest, e.g. "1Mi"."""


DOCUMENTED_NAMES: Final = PodNames()


def names_of(settings: KubernetesSettings | None) -> PodNames:
    """The documented names, with what the site has set before them."""
    if settings is None:
        return DOCUMENTED_NAMES
    known = DOCUMENTED_NAMES
    return known._replace(
        cpu_limit=(settings.cpu_limit_env, *known.cpu_limit),
        memory_limit=(settings.memory_limit_env, *known.memory_limit),
        node_name=(settings.node_name_env, *known.node_name),
        directory=settings.podinfo_path,
        cpu_divisor=settings.cpu_divisor,
        memory_divisor=settings.memory_divisor,
    )


def read(host: Host, names: PodNames = DOCUMENTED_NAMES) -> SlotClaim | None:
    """The claim of the pod that we run in; None outside one."""
    reading = Reading(host)
    if not reading.is_set("KUBERNETES_SERVICE_HOST"):
        return None
    pod = reading.first_variable(names.pod_name)
    node = reading.first_variable(names.node_name)
    cpu_file = f"{names.directory}/{names.cpu_limit_file}"
    memory_file = f"{names.directory}/{names.memory_limit_file}"
    cores = _amount(reading, _said(reading, names.cpu_limit, cpu_file), names.cpu_divisor, MAX_CORES)
    memory = _amount(
        reading, _said(reading, names.memory_limit, memory_file), names.memory_divisor, MAX_BYTES
    )
    storage = _amount(reading, reading.first_variable(names.ephemeral_storage_limit), "1", MAX_BYTES)
    return SlotClaim(
        source=ClaimSource.KUBERNETES,
        job_id=None if pod is None else pod[1],
        job_id_kind=None if pod is None else JobIdKind.POD,
        cores=None if not cores else float(cores),
        memory_bytes=None if not memory else int(memory),
        scratch_bytes=None if not storage else int(storage),
        node_name=None if node is None else node[1],
        evidence=reading.evidence,
        problems=reading.problems,
    )


def quantity(text: str) -> Decimal | None:
    """A Kubernetes quantity such as "500m", "2" or "4Gi", in its base unit; None if it is none."""
    match = _QUANTITY.fullmatch(text.strip())
    return Decimal(match[1]) * _FACTORS[match[2] or ""] if match else None


def _said(reading: Reading, variables: tuple[str, ...], path: str) -> tuple[str, str] | None:
    if (found := reading.first_variable(variables)) is not None:
        return found
    text = reading.file(path, limit_bytes=4 * KIB, expected=False)
    if text is None:
        return None
    reading.note(f"{path}: {shown(text)}")
    return path, text


def _amount(reading: Reading, said: tuple[str, str] | None, divisor: str, highest: int) -> Decimal | None:
    if said is None:
        return None
    number, unit = quantity(said[1]), quantity(divisor)
    if number is None or unit is None:
        reading.problem(f"{said[0]} is {shown(said[1])}, not a Kubernetes quantity such as 500m or 4Gi")
        return None
    if number * unit > highest:
        reading.problem(f"{said[0]} is {shown(said[1])}, more than {highest}")
        return None
    return number * unit
