"""The context probe: container runtimes, systems, loads, sites and names, and what is made of them."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from probes import context_site
from probes.context import PROBE, parse_os_release
from probes.host import Host
from probes.judging import Judging
from probes.live import LiveDoor
from probes.settings import Settings
from profiles.base import Facts
from profiles.checks import CheckResult, Status
from profiles.facts.batch import BatchFacts, ClaimSource, SlotClaim
from profiles.facts.context import ContextFacts, Runtime, SiteName, SiteNameSource
from tests.unit.probes.slot_hosts import EXT4_ROOT, cores, host

REPOSITORY = Path(__file__).parents[3]
OVERLAY = "500 400 0:60 / / rw - overlay overlay rw,lowerdir=/l,upperdir=/u\n"
UNAME: tuple[str, list[Any], Any] = (
    "uname",
    [],
    ["Linux", "wn7", "5.14.0-427.el9.x86_64", "#1 SMP", "x86_64"],
)
SITECONF = '<site-local-config><site name="T2_DE_Test"><event-data/></site></site-local-config>'
LOCAL_SITECONF = "/cvmfs/cms.cern.ch/SITECONF/local/JobConfig/site-local-config.xml"


def gathered(directory: Path, *, settings: Settings | None = None, **more: Any) -> ContextFacts:
    more["answers"] = [*more.get("answers", []), UNAME]
    facts = PROBE.gather(host(directory, **more), settings or Settings())
    assert isinstance(facts, ContextFacts)
    return facts


def facts_with(**changes: Any) -> ContextFacts:
    values: dict[str, Any] = {
        "runtime": Runtime.NONE, "os_id": "almalinux", "os_version": "9.4", "os_pretty_name": "AlmaLinux 9.4",
        "kernel_release": "5.14.0", "libc": "glibc 2.34", "libc_source": "ldd --version",
        "agent_libc": "glibc 2.34", "load_1min": 1.0, "load_5min": 1.0, "load_15min": 1.0, "pressure": None,
        "name_is_qualified": True, "name_resolves": True, "name_is_loopback_only": False,
        "address_names_host": True, **changes,
    }  # fmt: skip
    return ContextFacts(
        **values, absent={name: "not said" for name, value in values.items() if value is None}
    )


def verdict(
    check_id: str, facts: ContextFacts, settings: Settings | None = None, **others: Facts
) -> CheckResult:
    results = PROBE.judge(facts, Judging(PROBE, settings or Settings(), others))
    assert [result.id for result in results] == [check.id for check in PROBE.checks]
    return next(result for result in results if result.id == check_id)


def slot(ends_in_s: float | None, *claims: SlotClaim) -> BatchFacts:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    values: dict[str, Any] = {
        "batch_system": None, "slot_name": None, "pilot": None, "node_name": None, "ends_at": None,
        "ends_at_source": None,
    }  # fmt: skip
    if ends_in_s is not None:
        values |= {"ends_at": now + timedelta(seconds=ends_in_s), "ends_at_source": ClaimSource.SLURM}
    absent = {name: "not said" for name, value in values.items() if value is None}
    return BatchFacts(observed_at=now, claims=claims, absent=absent, **values)


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


# -- site --------------------------------------------------------------------------------------------------


def test_three_sources_name_the_site(tmp_path: Path) -> None:
    facts = gathered(
        tmp_path,
        settings=Settings(site_name="T2_DE_Test"),
        env={"GLIDEIN_CMSSite": "T2_DE_Test"},
        files={LOCAL_SITECONF: SITECONF},
    )
    assert {(name.source.value, name.name) for name in facts.site_names} == {
        ("configuration", "T2_DE_Test"), ("GLIDEIN_CMSSite", "T2_DE_Test"), ("SITECONF", "T2_DE_Test"),
    }  # fmt: skip
    assert verdict("CTX-02", facts).status is Status.OK


def test_siteconfig_path_is_believed_before_cvmfs(tmp_path: Path) -> None:
    local = "/etc/siteconf/JobConfig/site-local-config.xml"
    files = {local: SITECONF, LOCAL_SITECONF: SITECONF.replace("DE", "FR")}
    facts = gathered(tmp_path, env={"SITECONFIG_PATH": "/etc/siteconf"}, files=files)
    assert [name.name for name in facts.site_names] == ["T2_DE_Test"]


def test_a_cvmfs_that_hangs_costs_only_the_name_of_the_site(tmp_path: Path) -> None:
    hang = ("run", [["ls", "-L", LOCAL_SITECONF]], ["ETIMEDOUT", "ls: killed after 2 s"])
    files = {LOCAL_SITECONF: SITECONF, "/proc/self/mountinfo": EXT4_ROOT}
    facts = gathered(tmp_path, files=files, errors=[hang])
    assert facts.site_names == ()
    assert facts.runtime is Runtime.NONE


@pytest.mark.parametrize(
    "xml",
    [
        b"",
        b"\xff\xfe\x00",
        b"<site name='T2_DE_Test'",
        b"<a><b/></a>",
        b'<!DOCTYPE a [<!ENTITY x "T2_XX_X">]><a><site name="&x;"/></a>',
        b'<!DOCTYPE a [<!ENTITY b "x"><!ENTITY c "&b;&b;">]><a>&c;<site name="T2_DE_Test"/></a>',
        b"<a>" * 20_000,
    ],
)
def test_a_siteconf_that_is_not_plain_xml_names_nothing(xml: bytes) -> None:
    assert context_site.site_of(xml) is None


def test_sources_that_disagree_are_a_warning() -> None:
    said = (
        SiteName(name="T2_DE_Test", source=SiteNameSource.CONFIGURATION),
        SiteName(name="T2_DE_Other", source=SiteNameSource.SITECONF),
    )
    result = verdict("CTX-02", facts_with(site_names=said))
    assert result.status is Status.WARNING
    assert "T2_DE_Other" in result.summary


def test_what_the_batch_system_says_counts_and_an_osg_name_does_not() -> None:
    said = (SiteName(name="T2_DE_Test", source=SiteNameSource.CONFIGURATION),)
    cms = slot(None, SlotClaim(source=ClaimSource.HTCONDOR, site_name="T1_US_Other"))
    osg = slot(None, SlotClaim(source=ClaimSource.GLIDEIN, site_name="Some-OSG-Site"))
    assert verdict("CTX-02", facts_with(site_names=said), batch=cms).status is Status.WARNING
    assert verdict("CTX-02", facts_with(site_names=said), batch=osg).status is Status.OK


def test_a_configured_name_that_is_none_of_cms_is_a_warning() -> None:
    said = (SiteName(name="our-site", source=SiteNameSource.CONFIGURATION),)
    assert verdict("CTX-02", facts_with(site_names=said)).status is Status.WARNING
    assert verdict("CTX-02", facts_with()).status is Status.SKIPPED


# -- time left ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ends_in_s", "status"),
    [(1800, Status.OK), (1799, Status.WARNING), (-5, Status.WARNING), (None, Status.SKIPPED)],
)
def test_time_left(ends_in_s: float | None, status: Status) -> None:
    result = verdict("CTX-06", facts_with(), batch=slot(ends_in_s))
    assert (result.status, result.value) == (status, ends_in_s)


def test_time_left_is_unknown_if_the_batch_probe_failed() -> None:
    assert verdict("CTX-06", facts_with()).status is Status.UNKNOWN


# -- host name ---------------------------------------------------------------------------------------------


def named(name: str, addresses: list[str], back: str | None) -> list[tuple[str, list[Any], Any]]:
    found: list[tuple[str, list[Any], Any]] = [
        ("fqdn", [], name),
        ("resolve", [name], [addresses, [], None, 0.01]),
    ]
    if back is not None:
        found.append(("run", [["getent", "hosts", addresses[0]]], [0 if back else 2, back, ""]))
    return found


@pytest.mark.parametrize(
    ("name", "addresses", "back", "status"),
    [
        ("wn7.example.org", ["192.0.2.7"], "192.0.2.7  wn7.example.org wn7\n", Status.OK),
        ("wn7.example.org", ["192.0.2.7"], "192.0.2.7  other.example.org\n", Status.WARNING),
        ("wn7.example.org", ["192.0.2.7"], "", Status.WARNING),
        ("wn7.example.org", ["192.0.2.7"], None, Status.UNKNOWN),
        ("wn7.example.org", ["127.0.1.1"], None, Status.WARNING),
        ("wn7.example.org", [], None, Status.WARNING),
        ("wn7", ["192.0.2.7"], "192.0.2.7 wn7\n", Status.WARNING),
    ],
)
def test_the_host_name_both_ways(
    tmp_path: Path, name: str, addresses: list[str], back: str | None, status: Status
) -> None:
    facts = gathered(tmp_path, answers=named(name, addresses, back))
    assert verdict("CTX-07", facts).status is status
    assert "192.0.2" not in facts.model_dump_json()
    assert "wn7" not in facts.model_dump_json()


def test_a_container_with_its_own_name_is_not_asked_for_one() -> None:
    facts = facts_with(runtime=Runtime.DOCKER, name_is_qualified=False)
    assert verdict("CTX-07", facts).status is Status.SKIPPED
    inside = facts_with(runtime=Runtime.APPTAINER, name_is_qualified=False)
    assert verdict("CTX-07", inside).status is Status.WARNING


def test_no_resolver_is_asked_where_nothing_may_leave_the_node(tmp_path: Path) -> None:
    quiet = Settings(site_profile="no-outbound")
    facts = gathered(tmp_path, settings=quiet, answers=named("wn7.example.org", ["192.0.2.7"], ""))
    assert facts.name_resolves is None
    assert verdict("CTX-07", facts, quiet).status is Status.SKIPPED


MUTE = """
import socket, sys
mute = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
mute.bind(("127.0.0.1", 53))
from probes.context import PROBE; from probes.host import Host; from probes.live import LiveDoor
from probes.settings import Settings
print(PROBE.gather(Host(LiveDoor()), Settings()).model_dump_json())
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="a name server of our own needs root and its own namespaces")
def test_a_name_server_that_never_answers_costs_only_the_name(tmp_path: Path) -> None:
    """The resolver's own patience is longer than the probe's deadline."""
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    (tmp_path / "hosts").write_text("127.0.0.1 localhost\n")
    set_up = "hostname wn7.example.org; ip link set lo up"
    for name in ("resolv.conf", "hosts"):
        set_up += f"; mount --bind '{tmp_path}/{name}' /etc/{name}"
    done = subprocess.run(
        ["unshare", "-mnu", "sh", "-ec", f'{set_up}; exec "$@"', "sh", sys.executable, "-c", MUTE],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode != 0 and ("unshare" in done.stderr or "ip:" in done.stderr):
        pytest.skip(f"no network namespace can be made here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    facts = ContextFacts.model_validate_json(done.stdout)
    assert facts.name_resolves is None
    assert "did not answer" in facts.absent["name_resolves"]
    assert facts.os_id is not None
    assert verdict("CTX-07", facts).status is Status.UNKNOWN


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
