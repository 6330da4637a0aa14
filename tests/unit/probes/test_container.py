"""The container probe on recorded hosts, and both sides of each of its rules."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from probes.capabilities import names_of
from probes.container import PROBE
from probes.host import Host
from probes.judging import Judging
from probes.replay import Recording, ReplayDoor
from probes.settings import ContainerSettings, Settings
from profiles.checks import CheckResult, Status
from profiles.facts.container import (
    ContainerFacts,
    Engine,
    ImageTrial,
    NamespaceMode,
    PilotRuntime,
    SeccompMode,
)

APPTAINER = PilotRuntime(path="/usr/bin/apptainer", found_by="PATH", version="1.4.5", setuid=False)
SETUID = PilotRuntime(path="/usr/bin/singularity", found_by="PATH", version="3.8.7", setuid=True)
BROKEN = PilotRuntime(
    path="/opt/apptainer", found_by="PATH", version=None, setuid=False, absent={"version": "FATAL: no luck"}
)
IMAGE = "/cvmfs/unpacked.example.org/el9"

GOOD: dict[str, Any] = {
    "user_namespaces_work": True,
    "max_user_namespaces": 15000,
    "max_net_namespaces": 0,
    "pilot_runtimes": (APPTAINER,),
    "fuse_device_opens": True,
    "squashfuse_path": "/usr/bin/squashfuse_ll",
    "kernel_release": "5.14.0-427.el9.x86_64",
    "mode": NamespaceMode.PRIVILEGED,
    "no_new_privs": False,
    "seccomp": SeccompMode.DISABLED,
    "effective_capabilities": (),
    "cache_path": "~/.apptainer/cache",
    "cache_available_bytes": 50_000_000_000,
}
NO_NAMESPACES = {"user_namespaces_work": False, "user_namespaces_problem": "Operation not permitted"}


def facts_with(**changes: object) -> ContainerFacts:
    values = {**GOOD, **changes}
    missing = {
        name: "not asked in this test" for name in ContainerFacts.model_fields if values.get(name) is None
    }
    return ContainerFacts.model_validate(
        {**dict.fromkeys(missing), **values, "absent": missing} | _tuples(values)
    )


def _tuples(values: Mapping[str, object]) -> dict[str, object]:
    return {name: values.get(name, ()) for name in ("pilot_runtimes", "engines", "uid_map")}


def verdict(check_id: str, facts: ContainerFacts, settings: Settings | None = None) -> CheckResult:
    results = PROBE.judge(facts, Judging(PROBE, settings or Settings(), {}))
    assert [result.id for result in results] == [check.id for check in PROBE.checks]
    return next(result for result in results if result.id == check_id)


# -- judging ---------------------------------------------------------------------------------------------


def test_a_good_node_passes_everything() -> None:
    trial = ImageTrial(image=IMAGE, works=True, detail=None, absent={"detail": "it worked"})
    facts = facts_with(image_trial=trial)
    assert {result.status for result in PROBE.judge(facts, Judging(PROBE, Settings(), {}))} == {Status.OK}


@pytest.mark.parametrize(
    ("check_id", "changes", "status"),
    [
        ("CNT-01", NO_NAMESPACES, Status.CRITICAL),
        ("CNT-01", {**NO_NAMESPACES, "pilot_runtimes": (SETUID,)}, Status.WARNING),
        ("CNT-01", {**NO_NAMESPACES, "pilot_runtimes": (SETUID,), "no_new_privs": True}, Status.CRITICAL),
        ("CNT-01", {"user_namespaces_work": None}, Status.UNKNOWN),
        ("CNT-01", {"apparmor_restricts_userns": True}, Status.WARNING),
        ("CNT-01", {"apparmor_restricts_userns": False}, Status.OK),
        (
            "CNT-01",
            {"unprivileged_userns_clone": False, "effective_capabilities": ("sys_admin",)},
            Status.WARNING,
        ),
        ("CNT-02", {"max_net_namespaces": 96343}, Status.WARNING),
        (
            "CNT-02",
            {"max_net_namespaces": 96343, "engines": (Engine(name="podman", path="/usr/bin/podman"),)},
            Status.OK,
        ),
        ("CNT-02", {"max_net_namespaces": None}, Status.UNKNOWN),
        ("CNT-03", {"pilot_runtimes": ()}, Status.CRITICAL),
        ("CNT-03", {"pilot_runtimes": (BROKEN,)}, Status.CRITICAL),
        ("CNT-03", {"pilot_runtimes": (BROKEN, APPTAINER)}, Status.OK),
        ("CNT-03", {**NO_NAMESPACES, "pilot_runtimes": (APPTAINER,)}, Status.CRITICAL),
        ("CNT-03", {**NO_NAMESPACES, "pilot_runtimes": (APPTAINER, SETUID)}, Status.WARNING),
        ("CNT-03", {"user_namespaces_work": None}, Status.UNKNOWN),
        ("CNT-04", {}, Status.SKIPPED),
        ("CNT-04", {"image_trial": ImageTrial(image=IMAGE, works=False, detail="FATAL: x")}, Status.CRITICAL),
        (
            "CNT-04",
            {"image_trial": {"image": IMAGE, "works": None, "detail": "", "absent": {"works": "too slow"}}},
            Status.UNKNOWN,
        ),
        ("CNT-05", {"fuse_device_opens": False, "fuse_problem": "/dev/fuse: EPERM"}, Status.WARNING),
        ("CNT-05", {"squashfuse_path": None}, Status.WARNING),
        ("CNT-05", {"kernel_release": "3.10.0-1160.el7.x86_64"}, Status.WARNING),
        ("CNT-05", {"kernel_release": "4.18.0-513.el8.x86_64"}, Status.OK),
        ("CNT-05", {"pilot_runtimes": ()}, Status.SKIPPED),
        ("CNT-06", {"mode": None}, Status.UNKNOWN),
        ("CNT-07", {"no_new_privs": True, "seccomp": SeccompMode.FILTER}, Status.OK),
        ("CNT-07", {"no_new_privs": None, "seccomp": None, "effective_capabilities": None}, Status.UNKNOWN),
        ("CNT-08", {"cache_available_bytes": 4_999_999_999}, Status.WARNING),
        ("CNT-08", {"cache_available_bytes": 5_000_000_000}, Status.OK),
        ("CNT-08", {"cache_available_bytes": None}, Status.UNKNOWN),
        ("CNT-08", {"pilot_runtimes": ()}, Status.SKIPPED),
    ],
)
def test_rule(check_id: str, changes: dict[str, Any], status: Status) -> None:
    assert verdict(check_id, facts_with(**changes)).status is status


def test_a_site_moves_the_threshold() -> None:
    settings = Settings(thresholds={"CNT-08": {"warn_below_bytes": 60_000_000_000}})
    result = verdict("CNT-08", facts_with(), settings)
    assert result.status is Status.WARNING
    assert "site configuration" in result.thresholds[0].origin


def test_inside_apptainer_nothing_further_is_asked_for() -> None:
    context = pytest.importorskip("profiles.facts.context", reason="the context probe's facts")
    fields = dict.fromkeys(context.ContextFacts.model_fields)
    around = context.ContextFacts.model_construct(**{**fields, "runtime": "apptainer", "absent": {}})
    judging = Judging(PROBE, Settings(), {"context": around})
    results = {
        result.id: result for result in PROBE.judge(facts_with(**NO_NAMESPACES, pilot_runtimes=()), judging)
    }
    assert (results["CNT-01"].status, results["CNT-03"].status) == (Status.SKIPPED, Status.SKIPPED)


# -- gathering -------------------------------------------------------------------------------------------


def recorded(
    folder: Path, files: Mapping[str, str | bytes], answers: list[tuple[str, list[Any], Any]]
) -> Host:
    """A host made of a file tree and answers; an answer that is a HostError's (code, text) is an error."""
    (folder / "recording.json").write_text('{"recording_version": "1.0"}')
    lines = []
    for kind, args, answer in answers:
        given = {"error": list(answer)} if isinstance(answer, tuple) else {"answer": answer}
        lines.append(json.dumps({"ask": kind, "args": args, "by": "container", **given}))
    (folder / "answers.jsonl").write_text("\n".join(lines))
    (folder / "root").mkdir()
    for path, content in files.items():
        place = folder / "root" / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Host(ReplayDoor(Recording(folder), "container"))


FILES: dict[str, str | bytes] = {
    "/proc/sys/user/max_user_namespaces": "15000\n",
    "/proc/sys/user/max_net_namespaces": "0\n",
    "/proc/self/uid_map": "      1000       1000          1\n",
    "/proc/self/status": "Name:\tagent\nCapEff:\t0000000000200001\nNoNewPrivs:\t1\nSeccomp:\t2\n",
}
WORKS = [True, None, None]


def test_the_files_of_proc_are_understood(tmp_path: Path) -> None:
    facts = PROBE.gather(recorded(tmp_path, FILES, [("try_user_namespace", [], WORKS)]), Settings())

    assert isinstance(facts, ContainerFacts)
    assert (facts.max_user_namespaces, facts.max_net_namespaces) == (15000, 0)
    assert facts.mode is NamespaceMode.UNPRIVILEGED
    assert facts.uid_map == ("1000 1000 1",)
    assert (facts.no_new_privs, facts.seccomp) == (True, SeccompMode.FILTER)
    assert facts.effective_capabilities == ("chown", "sys_admin")
    assert facts.user_namespaces_work is True


@pytest.mark.parametrize(
    ("uid_map", "mode"),
    [
        ("         0          0 4294967295\n", NamespaceMode.PRIVILEGED),
        ("0 1000 1\n1 100000 65536\n", NamespaceMode.FAKEROOT),
        ("0 1000 1\n", NamespaceMode.UNPRIVILEGED),
        ("", None),
        ("0 1000\n", None),
        ("0 -1 1\n", None),
    ],
)
def test_mode(tmp_path: Path, uid_map: str, mode: NamespaceMode | None) -> None:
    facts = PROBE.gather(recorded(tmp_path, {**FILES, "/proc/self/uid_map": uid_map}, []), Settings())
    assert isinstance(facts, ContainerFacts)
    assert facts.mode is mode
    assert (mode is None) == ("mode" in facts.absent)


@pytest.mark.parametrize("content", [b"", b"-1\n", b"9" * 400, b"\xff\xfe\x00", b"many\n", b"x" * 200_000])
def test_hostile_files_cost_only_their_own_field(tmp_path: Path, content: bytes) -> None:
    facts = PROBE.gather(recorded(tmp_path, dict.fromkeys(FILES, content), []), Settings())

    assert isinstance(facts, ContainerFacts)
    assert facts.max_user_namespaces is None
    assert facts.effective_capabilities is None
    assert facts.mode is None
    for name in ("max_user_namespaces", "effective_capabilities", "mode", "no_new_privs", "seccomp"):
        assert facts.absent[name]


def test_a_refused_namespace_says_why(tmp_path: Path) -> None:
    refused = [False, "ENOSPC", "unshare(CLONE_NEWUSER): No space left on device"]
    facts = PROBE.gather(recorded(tmp_path, FILES, [("try_user_namespace", [], refused)]), Settings())
    assert isinstance(facts, ContainerFacts)
    assert verdict("CNT-01", facts).summary.endswith("No space left on device")


def test_the_pilots_order_of_search(tmp_path: Path) -> None:
    oasis = "/cvmfs/oasis.opensciencegrid.org/mis/apptainer/bin/apptainer"
    files = {**FILES, "/site/bin/singularity": "", oasis: "", "/over/apptainer": ""}
    says = lambda text: [0, text, ""]  # noqa: E731
    answers: list[tuple[str, list[Any], Any]] = [
        ("env", ["GLIDEIN_SINGULARITY_BINARY_OVERRIDE"], "/over/apptainer"),
        ("env", ["SINGULARITY_BIN"], "/site/bin"),
        ("which", ["apptainer"], "/usr/bin/apptainer"),
        ("run", [["/over/apptainer", "--version"]], says("apptainer version 1.4.5\n")),
        ("run", [["/site/bin/singularity", "--version"]], says("singularity-ce version 4.1.2-jammy\n")),
        ("run", [["/usr/bin/apptainer", "--version"]], [0, "", "FATAL: configuration disallows users\n"]),
        ("run", [[oasis, "--version"]], ("ETIMEDOUT", "killed after 2 s")),
    ]

    facts = PROBE.gather(recorded(tmp_path, files, answers), Settings())

    assert isinstance(facts, ContainerFacts)
    found = [(runtime.found_by, runtime.version) for runtime in facts.pilot_runtimes]
    assert found == [
        ("GLIDEIN_SINGULARITY_BINARY_OVERRIDE", "1.4.5"),
        ("SINGULARITY_BIN", "4.1.2-jammy"),
        ("PATH", None),
        ("CVMFS", None),
    ]
    assert "FATAL" in facts.pilot_runtimes[2].absent["version"]


@pytest.mark.parametrize(
    ("done", "status"),
    [
        ([0, "", ""], Status.OK),
        ([255, "", "FATAL:   container creation failed"], Status.CRITICAL),
        ([0, "", "FATAL:   said, and ended with 0 all the same"], Status.CRITICAL),
        (("ETIMEDOUT", "killed after 2 s"), Status.UNKNOWN),
    ],
)
def test_an_image_is_tried_where_there_is_one(tmp_path: Path, done: Any, status: Status) -> None:
    answers: list[tuple[str, list[Any], Any]] = [
        ("try_user_namespace", [], WORKS),
        ("which", ["apptainer"], "/usr/bin/apptainer"),
        ("run", [["/usr/bin/apptainer", "--version"]], [0, "apptainer version 1.4.5\n", ""]),
        ("run", [["/usr/bin/apptainer", "exec", IMAGE, "/bin/true"]], done),
    ]
    settings = Settings(container=ContainerSettings(test_images=("/cvmfs/absent", IMAGE)))
    facts = PROBE.gather(recorded(tmp_path, {**FILES, f"{IMAGE}/bin/true": ""}, answers), settings)
    assert isinstance(facts, ContainerFacts)
    assert verdict("CNT-04", facts).status is status


def test_the_home_directory_is_not_named(tmp_path: Path) -> None:
    answers: list[tuple[str, list[Any], Any]] = [
        ("env", ["HOME"], "/home/alice"),
        ("space", ["/"], [100, 42, 10, 5, False]),
    ]
    facts = PROBE.gather(recorded(tmp_path, FILES, answers), Settings())
    assert isinstance(facts, ContainerFacts)
    assert (facts.cache_path, facts.cache_available_bytes) == ("~/.apptainer/cache", 42)
    assert "alice" not in facts.model_dump_json()


def test_a_capability_newer_than_the_table_keeps_its_number() -> None:
    assert names_of(1 << 40 | 1 << 60) == ("checkpoint_restore", "60")


def test_the_line_on_the_screen_is_short() -> None:
    engines = tuple(Engine(name="x" * 60, path="/x") for _ in range(3))
    assert len(PROBE.summarise(facts_with(pilot_runtimes=(), engines=engines))) <= 60
    assert PROBE.summarise(facts_with()) == "user namespaces work, apptainer 1.4.5"
