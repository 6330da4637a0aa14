"""Kubernetes: the downward API with the names and the examples of its documentation."""

from __future__ import annotations

import pytest

from probes.claims import kubernetes
from probes.claims.kubernetes import PodNames
from profiles.facts.batch import JobIdKind, SlotClaim
from tests.unit.probes.claims.talking import machine

ADDRESS = "10.96.0.1"
POD = {"KUBERNETES_SERVICE_HOST": ADDRESS}


def claim(
    env: dict[str, str] | None = None, files: dict[str, str] | None = None, names: PodNames | None = None
) -> SlotClaim:
    host = machine({**POD, **(env or {})}, files={**(files or {})})
    found = kubernetes.read(host, names) if names else kubernetes.read(host)
    assert found is not None
    return found


def test_variables() -> None:
    found = claim(
        {
            "MY_CPU_LIMIT": "8",
            "MY_MEM_LIMIT": "17179869184",
            "MY_NODE_NAME": "wn7",
            "MY_POD_NAME": "pilot-x2x9k",
            "EPHEMERAL_STORAGE_LIMIT": "20Gi",
        }
    )
    assert (found.cores, found.memory_bytes, found.scratch_bytes) == (8, 16 * 2**30, 20 * 2**30)
    assert (found.node_name, found.job_id, found.job_id_kind) == ("wn7", "pilot-x2x9k", JobIdKind.POD)
    assert found.problems == ()


def test_files_of_the_documented_example_with_their_divisors() -> None:
    """There limits.cpu is 250m with divisor 1m and limits.memory is 64Mi with divisor 1Mi."""
    files = {"/etc/podinfo/cpu_limit": "250", "/etc/podinfo/mem_limit": "64\n"}
    found = claim(files=files, names=PodNames(cpu_divisor="1m", memory_divisor="1Mi"))
    assert (found.cores, found.memory_bytes) == (0.25, 64 * 2**20)


def test_variables_come_before_files_and_names_are_the_sites() -> None:
    names = PodNames(cpu_limit=("SITE_CORES",), directory="/podinfo")
    files = {"/podinfo/cpu_limit": "2", "/etc/podinfo/cpu_limit": "4"}
    assert claim({"SITE_CORES": "1500m"}, files, names).cores == 1.5
    assert claim({"MY_CPU_LIMIT": "64"}, files, names).cores == 2


@pytest.mark.parametrize("text", ["lots", "", "-1", "1e3", "1 000", "0x10", "9999999999999P"])
def test_nonsense_gives_no_limit(text: str) -> None:
    found = claim({"MY_MEM_LIMIT": text})
    assert found.memory_bytes is None
    assert bool(found.problems) == bool(text)


@pytest.mark.parametrize(
    ("text", "number"), [("2", 2), ("500m", 0.5), ("0.1", 0.1), ("64Mi", 2**26), ("1k", 1000)]
)
def test_quantities(text: str, number: float) -> None:
    assert float(kubernetes.quantity(text) or 0) == number


def test_a_pod_without_the_downward_api_is_still_a_pod() -> None:
    found = claim()
    assert (found.cores, found.memory_bytes, found.problems) == (None, None, ())


def test_no_address_reaches_the_profile() -> None:
    assert ADDRESS not in claim().model_dump_json()


def test_outside_a_pod_there_is_no_claim() -> None:
    assert kubernetes.read(machine({"MY_CPU_LIMIT": "8"})) is None
