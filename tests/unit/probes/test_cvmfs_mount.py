"""The probe of mounted CVMFS on plain directories, which are what a re-export without attributes looks like."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.answers import Json
from probes.cvmfs_config import Options
from probes.cvmfs_mount import PROBE, attributes
from probes.errors import HostError
from probes.host import Host
from probes.judging import Judging
from probes.live import LiveDoor
from probes.settings import Settings
from profiles.checks import CheckResult, Status
from profiles.facts.cvmfs_mount import CvmfsMountFacts

NAME = "lab.example.org"


class Answers(LiveDoor):
    """This machine without a CVMFS of its own; attributes as a test gives them, all others are not there."""

    def __init__(self, **values: str) -> None:
        super().__init__()
        self._values = values

    def ask(self, kind: str, args: list[Json]) -> Any:
        if str(args[0] if args else "").startswith("/etc/cvmfs"):
            raise HostError("ENOENT", f"{args[0]}: not here")
        if kind == "xattr" and self._values:
            name = str(args[1]).removeprefix("user.")
            if name not in self._values:
                raise HostError("ENODATA", f"{args[0]}: no such attribute")
            return self._values[name]
        return super().ask(kind, args)


def settings(root: Path, *names: str) -> Settings:
    cvmfs = {"mount_path": str(root), "repositories": names or (NAME,), "test_paths": {NAME: "/known.sh"}}
    return Settings.model_validate({"cvmfs": cvmfs})


def probed(root: Path, *names: str, **values: str) -> tuple[CvmfsMountFacts, dict[str, CheckResult]]:
    chosen = settings(root, *names)
    facts = PROBE.gather(Host(Answers(**values)), chosen)
    assert isinstance(facts, CvmfsMountFacts)
    results = PROBE.judge(facts, Judging(PROBE, chosen, {}))
    assert [result.id for result in results] == [check.id for check in PROBE.checks]
    return facts, {result.id: result for result in results}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    path = tmp_path / NAME
    (path / "sw").mkdir(parents=True)
    (path / "known.sh").write_text("# known\n")
    (path / "sw" / "more.sh").write_text("# more\n")
    return path


def test_a_node_without_cvmfs_says_what_is_missing_and_how_to_go_without(tmp_path: Path) -> None:
    facts, found = probed(tmp_path / "nowhere")
    assert PROBE.summarise(facts) == "not mounted"
    assert {found[f"CVM-{number:02}"].status for number in range(1, 13)} == {Status.SKIPPED}
    assert "the probe cvmfs says whether" in found["CVM-01"].summary
    assert found["CVM-13"].status is Status.CRITICAL
    assert "cvmfsexec" in str(found["CVM-13"].hint)


def test_an_empty_directory_is_not_a_mount(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    facts, found = probed(tmp_path)
    assert [mount.state for mount in facts.repositories or ()] == ["empty"]
    assert found["CVM-01"].status is Status.SKIPPED
    assert (found["CVM-13"].status, found["CVM-13"].evidence[0]) == (
        Status.CRITICAL,
        f"{NAME}: an empty directory",
    )


def test_a_mount_without_attributes_is_read_and_not_judged_further(repository: Path) -> None:
    facts, found = probed(repository.parent)
    assert PROBE.summarise(facts) == "1 of 1 repositories"
    assert found["CVM-01"].status is found["CVM-11"].status is found["CVM-12"].status is Status.OK
    assert "a re-export by NFS or a CSI driver" in found["CVM-12"].summary
    assert "3 names" not in found["CVM-01"].evidence[0]
    assert "/known.sh: 8 bytes read" in found["CVM-01"].evidence[0]
    assert found["CVM-04"].status is Status.SKIPPED


def test_links_and_devices_are_not_read(repository: Path, tmp_path: Path) -> None:
    (repository / "sw" / "zero").symlink_to("/dev/zero")
    (repository / "sw" / "loop").symlink_to(".")
    facts, found = probed(tmp_path)
    paths = {sample.path for sample in facts.mounted[0].samples}
    assert paths == {"/known.sh", "/sw/more.sh"}
    assert found["CVM-11"].status is Status.OK


def test_files_are_read_up_to_a_bound(repository: Path, tmp_path: Path) -> None:
    with (repository / "known.sh").open("wb") as large:
        large.truncate(1024**4)
    facts, found = probed(tmp_path)
    test_file = facts.mounted[0].test_file
    assert test_file is not None
    assert (test_file.read_bytes, test_file.error) == (None, "ETOOLARGE")
    assert found["CVM-01"].status is Status.OK


def test_a_wide_and_deep_repository_is_walked_in_bounds(repository: Path) -> None:
    for number in range(400):
        (repository / f"file{number}").write_text(str(number))
    deep = repository
    for _ in range(60):
        deep /= "deep"
        deep.mkdir()
        (deep / "file").write_text("x")
    facts, _ = probed(repository.parent)
    assert len(facts.mounted[0].samples) == 10


@given(st.dictionaries(st.sampled_from([*attributes.TEXTS, *attributes.NUMBERS]), st.text(max_size=80)))
def test_any_attributes_give_verdicts(values: dict[str, str]) -> None:
    said = attributes.read(Host(Answers(**(values or {"version": "1"}))), "/")
    assert set(said.texts) | set(said.numbers) | set(said.unreadable) == {
        *attributes.TEXTS,
        *attributes.NUMBERS,
    }
    assert all(text.isprintable() for text in said.texts.values())


def test_numbers_beyond_all_bounds_are_not_known(repository: Path) -> None:
    values = {"revision": "9" * 19, "nioerr": "9" * 4000, "uptime": "9" * 19, "pid": "9" * 19}
    facts, _ = probed(repository.parent, **values)
    (mount,) = facts.mounted
    assert mount.io_errors is None
    assert mount.client_memory_bytes is None
    assert "not a number" in mount.unreadable["nioerr"]


@pytest.mark.parametrize(
    ("text", "chosen", "found"),
    [
        (None, None, (None, None)),
        ("", None, (None, None)),
        ("DIRECT", None, ("direct", "direct")),
        ("http://site:3128", None, ("site:3128", "site")),
        ("http://fall:3126", None, ("fall:3126", "fallback")),
        ("http://wpad:3128", None, ("wpad:3128", "other")),
        ("http://wpad:3128", "http://wpad:3128|http://b:1", ("wpad:3128", "site")),
        ("http://192.0.2.1:3128", None, ("(address):3128", "other")),
        (
            "http://cmsbproxy.fnal.gov:3128",
            "http://cmsbproxy.fnal.gov:3128",
            ("cmsbproxy.fnal.gov:3128", "fallback"),
        ),
        ("http://user:secret@site:3128", None, (None, None)),
    ],
)
def test_the_proxy_in_use_is_told_by_where_it_is_configured(
    text: str | None, chosen: str | None, found: tuple[str | None, str | None]
) -> None:
    options = Options(
        {"CVMFS_HTTP_PROXY": "http://site:3128;DIRECT", "CVMFS_FALLBACK_PROXY": "http://fall:3126"}
    )
    assert attributes.proxy_in_use(text, options, chosen) == found
