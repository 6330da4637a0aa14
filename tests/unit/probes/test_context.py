"""The context probe: container runtimes, systems, loads, this machine, and what is made of them."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from probes.context import PROBE, parse_os_release
from probes.host import Host
from probes.live import LiveDoor
from probes.settings import Settings
from profiles.checks import Status
from profiles.facts.context import ContextFacts
from tests.unit.probes.context_facts import facts_with, gathered, verdict
from tests.unit.probes.slot_hosts import EXT4_ROOT, cores

OVERLAY = "500 400 0:60 / / rw - overlay overlay rw,lowerdir=/l,upperdir=/u\n"


# -- container runtimes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("runtime", "env", "files"),
    [
        ("none", {}, {"/proc/self/mountinfo": EXT4_ROOT}),
        # A virtual machine made from a container image keeps the file; this very thing is in the field.
        ("none", {}, {"/proc/self/mountinfo": EXT4_ROOT, "/.dockerenv": ""}),
        ("docker", {}, {"/proc/self/mountinfo": OVERLAY, "/.dockerenv": ""}),
        ("docker", {}, {"/proc/1/cgroup": "12:cpuset:/docker/4f3c\n"}),
        (
            "docker",
            {},
            {
                "/proc/self/mountinfo": EXT4_ROOT
                + "9 8 8:1 /var/lib/docker/containers/4f/hosts /etc/hosts rw - ext4 /dev/sda1 rw\n"
            },
        ),
        ("podman", {}, {"/proc/self/mountinfo": OVERLAY, "/run/.containerenv": ""}),
        ("podman", {"container": "podman"}, {"/proc/self/mountinfo": OVERLAY}),
        ("apptainer", {"APPTAINER_CONTAINER": "/i.sif"}, {"/proc/self/mountinfo": OVERLAY}),
        ("apptainer", {}, {"/proc/self/mountinfo": EXT4_ROOT, "/.singularity.d/env/x": ""}),
        # A cache directory on the host is no container.
        ("none", {"APPTAINER_CACHEDIR": "/c"}, {"/proc/self/mountinfo": EXT4_ROOT}),
        ("kubernetes", {"KUBERNETES_SERVICE_HOST": "x"}, {"/proc/self/mountinfo": OVERLAY}),
        ("kubernetes", {}, {"/proc/1/cgroup": "0::/kubepods.slice/kubepods-pod1.slice\n"}),
        # The kubelet's own node mounts the same files, but inside the kubelet's directory.
        (
            "none",
            {},
            {
                "/proc/self/mountinfo": EXT4_ROOT
                + "9 8 8:1 /var/lib/kubelet/pods/1/v /var/lib/kubelet/pods/1/w rw - ext4 /dev/sda1 rw\n"
            },
        ),
        # An Apptainer container that a pilot started in a pod: the inner one is where the job is.
        (
            "apptainer",
            {"KUBERNETES_SERVICE_HOST": "x", "SINGULARITY_CONTAINER": "/cvmfs/i"},
            {"/proc/self/mountinfo": OVERLAY},
        ),
        (
            "containerd",
            {},
            {
                "/proc/self/mountinfo": "5 4 0:6 / / rw - overlay o rw,lowerdir=/x/io.containerd.snapshotter/1\n"
            },
        ),
    ],
)
def test_the_innermost_runtime(
    tmp_path: Path, runtime: str, env: dict[str, str], files: dict[str, str]
) -> None:
    facts = gathered(tmp_path, env=env, files=files)
    assert facts.runtime == runtime
    assert facts.runtime_evidence
    result = verdict("CTX-01", facts)
    assert (result.status, result.value) == (Status.OK, runtime)


def test_a_machine_that_shows_nothing_leaves_the_runtime_open(tmp_path: Path) -> None:
    facts = gathered(tmp_path)
    assert facts.runtime is None
    assert verdict("CTX-01", facts).status is Status.UNKNOWN


# -- operating system --------------------------------------------------------------------------------------


def test_os_release_of_an_el9_node(tmp_path: Path) -> None:
    text = 'NAME="AlmaLinux"\nVERSION_ID="9.4"\nID="almalinux"\nPRETTY_NAME="AlmaLinux 9.4 (Seafoam)"\n'
    facts = gathered(tmp_path, files={"/etc/os-release": text})
    assert (facts.os_id, facts.os_version) == ("almalinux", "9.4")
    assert PROBE.summarise(facts) == "AlmaLinux 9.4 (Seafoam)"


def test_os_release_is_unquoted_as_a_shell_does() -> None:
    text = "ID=fedora\n# note\nPRETTY_NAME='x \\$y'\nVERSION_ID=\nbroken line\n"
    assert parse_os_release(text) == {"ID": "fedora", "PRETTY_NAME": "x $y"}


@pytest.mark.parametrize("content", [b"\xff\xfe\x00garbage", b"A" * 100_000])
def test_a_broken_os_release_is_absent_with_a_reason(tmp_path: Path, content: bytes) -> None:
    facts = gathered(tmp_path, files={"/etc/os-release": content})
    assert facts.os_pretty_name is None
    assert "os-release" in facts.absent["os_pretty_name"]


@pytest.mark.parametrize(
    ("links", "answers", "libc"),
    [
        ({"/lib64/libc.so.6": "libc-2.17.so"}, [], "glibc 2.17"),
        ({}, [[0, "ldd (GNU libc) 2.34\nCopyright", ""]], "glibc 2.34"),
        ({}, [[0, "ldd (Debian GLIBC 2.36-9+deb12u13) 2.36\n", ""]], "glibc 2.36"),
        ({}, [[1, "", "musl libc (x86_64)\nVersion 1.2.5\nDynamic Program Loader\n"]], "musl 1.2.5"),
        ({}, [[0, "no version here\n", ""]], None),
        ({}, [], None),
    ],
)
def test_the_c_library_of_the_image(
    tmp_path: Path, links: dict[str, str], answers: list[Any], libc: str | None
) -> None:
    answers = [("run", [["ldd", "--version"]], answer) for answer in answers]
    facts = gathered(tmp_path, links=links, answers=[*answers, ("libc", [], "glibc 2.39")])
    assert facts.libc == libc
    assert (facts.libc_source is None) == (libc is None)
    assert facts.agent_libc == "glibc 2.39"


@pytest.mark.parametrize(
    ("release", "status"),
    [
        ("3.10.0-1160.el7.x86_64", Status.WARNING),
        ("4.18.0-553.el8_10", Status.OK),
        ("6.1.0", Status.OK),
        ("custom", Status.UNKNOWN),
    ],
)
def test_an_el7_kernel_is_a_warning(release: str, status: Status) -> None:
    assert verdict("CTX-04", facts_with(kernel_release=release)).status is status


# -- load --------------------------------------------------------------------------------------------------


def test_load_and_pressure_as_the_kernel_writes_them(tmp_path: Path) -> None:
    psi = "some avg10=1.00 avg60=2.24 avg300=1.38 total=9\nfull avg10=0.00 avg60=0.50 avg300=0.00 total=0\n"
    files = {"/proc/loadavg": "3.20 1.05 0.75 1/226 7034\n", "/proc/pressure/io": psi}
    facts = gathered(tmp_path, files=files)
    assert (facts.load_1min, facts.load_5min, facts.load_15min) == (3.2, 1.05, 0.75)
    assert facts.pressure is not None
    assert [(p.resource, p.some_percent, p.full_percent) for p in facts.pressure] == [("io", 2.24, 0.5)]


@pytest.mark.parametrize("text", ["", "nan nan nan", "-1 0 0", "1e300 0 0", "a b c", "\x00" * 5000])
def test_a_load_that_is_none(tmp_path: Path, text: str) -> None:
    facts = gathered(tmp_path, files={"/proc/loadavg": text, "/proc/pressure/cpu": text})
    assert facts.load_1min is None
    assert facts.absent["load_1min"]
    assert facts.pressure is None
    assert verdict("CTX-05", facts, cores=cores(8)).status is Status.UNKNOWN


@pytest.mark.parametrize(
    ("load", "status"), [(9.0, Status.OK), (9.01, Status.WARNING), (0.2, Status.OK), (900.0, Status.WARNING)]
)
def test_load_is_held_against_the_cpus_of_the_machine(load: float, status: Status) -> None:
    machine = cores(1, host_cpus=8)
    assert verdict("CTX-05", facts_with(load_1min=load), cores=machine).status is status


def test_a_load_without_a_number_of_cpus_is_no_verdict() -> None:
    assert verdict("CTX-05", facts_with(load_1min=50)).status is Status.UNKNOWN


# -- the machine itself ------------------------------------------------------------------------------------


def test_this_machine_is_described_as_its_own_tools_do() -> None:
    facts = PROBE.gather(Host(LiveDoor()), Settings(site_profile="no-outbound"))
    assert isinstance(facts, ContextFacts)
    assert facts.kernel_release == platform.release()
    assert facts.os_id == platform.freedesktop_os_release()["ID"]
    if sys.platform == "linux" and platform.libc_ver()[0] == "glibc":
        said = subprocess.run(["getconf", "GNU_LIBC_VERSION"], capture_output=True, text=True, check=True)
        assert facts.libc == said.stdout.strip()
    assert facts.load_1min is not None
