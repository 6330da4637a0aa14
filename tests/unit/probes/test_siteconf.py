"""The SITECONF probe: facts and verdicts of each fault."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from probes.errors import HostError
from probes.host import Host
from probes.judging import Judging
from probes.live import LiveDoor
from probes.recording import RecordingDoor, begin, finish
from probes.replay import Recording, ReplayDoor
from probes.settings import Settings
from probes.siteconf import PROBE
from profiles.checks import CheckResult, Status
from profiles.facts.siteconf import SiteconfFacts
from tests.unit.probes.siteconf_tree import CATALOG, SITE, config, protocol, rules, settings, volume, write

OK, WARN, CRIT, SKIP = Status.OK, Status.WARNING, Status.CRITICAL, Status.SKIPPED


def probed(chosen: Settings, host: Host | None = None) -> SiteconfFacts:
    facts = PROBE.gather(host or Host(LiveDoor()), chosen)
    assert isinstance(facts, SiteconfFacts)
    # What a profile keeps is what was judged.
    return SiteconfFacts.model_validate_json(facts.model_dump_json())


def verdicts(facts: SiteconfFacts, chosen: Settings) -> dict[str, CheckResult]:
    results = PROBE.judge(facts, Judging(PROBE, chosen, {}))
    assert [result.id for result in results] == [check.id for check in PROBE.checks]
    return {result.id: result for result in results}


def judged(directory: Path, **more: Any) -> dict[str, CheckResult]:
    chosen = settings(directory, **more)
    return verdicts(probed(chosen), chosen)


def statuses(results: dict[str, CheckResult]) -> list[Status]:
    return [result.status for result in results.values()]


def test_a_good_site_is_green(tmp_path: Path) -> None:
    chosen = settings(write(tmp_path))
    facts = probed(chosen)
    assert statuses(verdicts(facts, chosen)) == [OK, OK, OK, SKIP]
    assert facts.data_access[0].pfn == f"root://door.example:1094/{facts.test_lfn}"
    assert facts.stage_out[0].pfn is not None
    assert facts.frontier is not None
    assert facts.frontier.balance_proxies
    assert PROBE.summarise(facts) == f"{SITE}, 1 of 1 data-access"


def test_no_directory_is_critical_and_the_rest_is_skipped(tmp_path: Path) -> None:
    chosen = settings(tmp_path / "nowhere")
    facts = probed(chosen)
    found = verdicts(facts, chosen)
    assert statuses(found) == [CRIT, SKIP, SKIP, SKIP]
    assert "nowhere" in found["CFG-01"].summary
    assert "siteconf.path" in found["CFG-01"].summary
    assert PROBE.summarise(facts) == "not found"


@pytest.mark.parametrize(
    ("xml", "status", "said"),
    [
        (b"", CRIT, "no such file"),
        (b"<site-local-config>", CRIT, "not XML"),
        (
            b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><site-local-config/>',
            CRIT,
            "document type",
        ),
        (config(stage_out="").encode(), WARN, "no <stage-out>"),
        (config(calib="").encode(), WARN, "no <calib-data>"),
    ],
)
def test_the_config_file(tmp_path: Path, xml: bytes, status: Status, said: str) -> None:
    found = judged(write(tmp_path, xml))
    assert found["CFG-01"].status is OK
    assert found["CFG-02"].status is status
    assert said in found["CFG-02"].summary
    assert found["CFG-03"].status is (SKIP if status is CRIT else OK)


NOT_THERE = '<catalog volume="Tape" protocol="XRootD"/>'
NO_SUCH_PROTOCOL = '<catalog volume="Disk" protocol="SRM"/>'
OTHER_SITE = '<catalog site="T1_US_Other" volume="Federation" protocol="XRootD"/>'
NARROW = protocol("narrow", None, rules=rules(("/store/data/.*", "x")))


@pytest.mark.parametrize(
    ("catalogs", "storage", "status", "said"),
    [
        (NOT_THERE, None, CRIT, "no volume Tape"),
        (CATALOG + NOT_THERE, None, CRIT, "no volume Tape"),
        (NO_SUCH_PROTOCOL, None, CRIT, "no such protocol"),
        (CATALOG + OTHER_SITE, None, CRIT, "T1_US_Other/storage.json: there is no such file"),
        (CATALOG, "", CRIT, "storage.json: there is no such file"),
        (CATALOG, b"[", CRIT, "not JSON"),
        (
            '<catalog volume="Disk" protocol="narrow"/>',
            [volume(protocol(), NARROW)],
            CRIT,
            "no physical name",
        ),
        (
            f'{CATALOG}<catalog volume="Disk" protocol="narrow"/>',
            [volume(protocol(), NARROW)],
            WARN,
            "no rule of narrow",
        ),
        (CATALOG, [volume(), volume(name="Bad", site="")], WARN, "volume 2 ('Bad') is left out"),
        ("", None, SKIP, "no data-access"),
    ],
)
def test_data_access_and_storage(
    tmp_path: Path, catalogs: str, storage: Any, status: Status, said: str
) -> None:
    found = judged(write(tmp_path / SITE, config(catalogs), storage))["CFG-03"]
    assert (found.status, said in found.summary) == (status, True), found.summary


def test_a_stage_out_that_is_not_described_is_a_warning(tmp_path: Path) -> None:
    methods = '<stage-out><method volume="Gone" protocol="XRootD" command="gfal2"/></stage-out>'
    found = judged(write(tmp_path, config(stage_out=methods)))["CFG-03"]
    assert (found.status, "no volume Gone" in found.summary) == (WARN, True)


def test_a_volume_that_nothing_names_is_only_evidence(tmp_path: Path) -> None:
    found = judged(write(tmp_path, storage=[volume(), volume(name="Tape")]))["CFG-03"]
    assert found.status is OK
    assert "volume Tape is named by neither" in found.evidence


def test_the_old_form_has_nothing_to_resolve(tmp_path: Path) -> None:
    old = '<event-data><catalog url="trivialcatalog_file:/etc/storage.xml?protocol=xrootd"/></event-data>'
    found = judged(write(tmp_path, config("", more=old)))
    assert [found["CFG-02"].status, found["CFG-03"].status] == [OK, SKIP]


def test_the_central_copy(tmp_path: Path) -> None:
    write(tmp_path)
    digest = hashlib.sha256((tmp_path / "storage.json").read_bytes()).hexdigest()
    same = judged(tmp_path, central_sha256={"storage.json": digest.upper()})["CFG-04"]
    assert same.status is OK
    other = judged(tmp_path, central_sha256={"storage.json": "0" * 64, "site-local-config.xml": digest})[
        "CFG-04"
    ]
    assert (other.status, "site-local-config.xml, storage.json" in other.summary) == (WARN, True)
    write(tmp_path / "bare", storage="")
    unread = judged(tmp_path / "bare", central_sha256={"storage.json": digest})["CFG-04"]
    assert unread.status is Status.UNKNOWN


def test_neither_addresses_nor_the_users_name_stay_in_the_facts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("USER", "alice")
    path = write(
        tmp_path / "alice/siteconf", storage=[volume(protocol(prefix="root://192.0.2.17:1094/home/alice"))]
    )
    text = probed(settings(path)).model_dump_json()
    assert "192.0.2.17" not in text
    assert "alice" not in text


def test_a_replay_gives_the_same_facts(tmp_path: Path) -> None:
    chosen = settings(write(tmp_path / "site"))
    begin(tmp_path / "recording")
    door = RecordingDoor(LiveDoor(), tmp_path / "recording", "siteconf", None)
    live = probed(chosen, Host(door))
    door.close()
    finish(tmp_path / "recording", agent_version="0", created_at="2026-01-01T00:00:00Z", redacted=False)
    (tmp_path / "site/storage.json").unlink()
    assert probed(chosen, Host(ReplayDoor(Recording(tmp_path / "recording"), "siteconf"))) == live


def test_a_door_that_answers_nothing_gives_facts(tmp_path: Path) -> None:
    class Silent:
        def ask(self, kind: str, args: list[Any]) -> Any:
            raise HostError("EIO", f"{kind}: no answer")

        def observe(self, name: str, args: list[Any], live: Any) -> Any:
            raise HostError("EIO", f"{name}: no answer")

    chosen = Settings()
    assert statuses(verdicts(probed(chosen, Host(Silent())), chosen)) == [OK, CRIT, SKIP, SKIP]
