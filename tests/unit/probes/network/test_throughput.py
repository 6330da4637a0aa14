"""Throughput through a proxy and directly."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from probes.host import Host
from probes.live import LiveDoor
from profiles.checks import Status
from profiles.facts.cores import CoresFacts
from profiles.facts.network import NetworkFacts
from tests.lab.waiting import until
from tests.unit.probes.network.asking import OBJECT, probed, settings, verdicts
from tests.unit.probes.network_servers import closed_port, forwarding, serving


def test_the_object_is_fetched_through_the_proxy_and_directly() -> None:
    with serving(body=OBJECT, content_type="application/octet-stream") as origin, forwarding() as proxy:
        url = f"http://127.0.0.1:{origin.port}/data/object"
        facts = probed(settings(throughput_url=url, http_proxy=f"http://127.0.0.1:{proxy.port}"))
        assert proxy.asked == [("GET", url)]
        assert origin.asked == [("GET", "/data/object")] * 2
    assert facts.fetches is not None
    assert [(fetch.via, fetch.status, fetch.body_bytes) for fetch in facts.fetches] == [
        ("proxy", 200, len(OBJECT)),
        ("direct", 200, len(OBJECT)),
    ]


def test_no_more_than_eight_mebibytes_are_read() -> None:
    with serving(body=OBJECT * 9, content_type="application/octet-stream") as origin:
        facts = probed(settings(throughput_url=f"http://127.0.0.1:{origin.port}/"))
    assert facts.fetches is not None
    assert facts.fetches[0].body_bytes == 8 * 1024 * 1024


@pytest.mark.parametrize(
    ("body_bytes", "duration_s", "cores", "status"),
    [
        (8_000_000, 1.0, 8, Status.OK),
        (7_900_000, 1.0, 8, Status.WARNING),
        (8_000_000, 7.0, 1, Status.OK),
        (262_143, 0.1, 1, Status.UNKNOWN),
    ],
)
def test_the_rate_is_held_against_the_cores(
    body_bytes: int, duration_s: float, cores: int, status: Status
) -> None:
    fetch = {"via": "proxy", "status": 200, "body_bytes": body_bytes, "duration_s": duration_s}
    absent = dict.fromkeys(NetworkFacts.model_fields, "not asked")
    nothing = dict.fromkeys(NetworkFacts.model_fields)
    facts = NetworkFacts.model_validate({**nothing, "endpoints": [], "fetches": [fetch], "absent": absent})
    empty = {name: None for name, field in CoresFacts.model_fields.items() if field.is_required()}
    granted = CoresFacts.model_validate(
        {
            **empty,
            "why": "test",
            "effective_cores": cores,
            "absent": dict.fromkeys(empty, "not asked"),
        }
    )
    assert verdicts(facts, cores=granted)["NET-06"].status is status


@pytest.mark.parametrize(("status", "content_type"), [(404, "application/octet-stream"), (200, "text/html")])
def test_a_failed_download_is_a_warning(status: int, content_type: str) -> None:
    with serving(body=OBJECT, status=status, content_type=content_type) as origin:
        found = verdicts(probed(settings(throughput_url=f"http://127.0.0.1:{origin.port}/")))
    assert found["NET-06"].status is Status.WARNING


def test_a_proxy_that_is_gone_and_one_that_is_none() -> None:
    with serving(body=OBJECT) as origin:
        url = f"http://127.0.0.1:{origin.port}/"
        for proxy in (f"http://127.0.0.1:{closed_port()}", "http://", "ftp://x:1", "http://x:99999999"):
            found = verdicts(probed(settings(throughput_url=url, http_proxy=proxy)))
            assert found["NET-06"].status is Status.WARNING, proxy


@pytest.fixture
def squid(tmp_path: Path) -> Iterator[int]:
    program = shutil.which("squid", path="/usr/sbin:/usr/bin:/sbin:/bin")
    if program is None:
        pytest.skip("squid is not installed")
    port = closed_port()
    configuration = tmp_path / "squid.conf"
    tmp_path.chmod(0o777)
    configuration.write_text(
        f"http_port 127.0.0.1:{port}\nhttp_access allow all\npid_filename none\nvisible_hostname squid.test\n"
        f"access_log none\ncache_log {tmp_path}/cache.log\ncoredump_dir {tmp_path}\nshutdown_lifetime 0 seconds\n"
    )
    process = subprocess.Popen(
        [program, "-N", "-f", str(configuration)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        until(
            f"squid on port {port}",
            lambda: Host(LiveDoor()).connect("127.0.0.1", port).works,
            limit_s=30,
            logs=tmp_path,
        )
        yield port
    finally:
        process.terminate()
        process.wait()


@pytest.mark.lab
def test_a_real_squid_is_measured(squid: int) -> None:
    with serving(body=OBJECT, content_type="application/octet-stream") as origin:
        url = f"http://127.0.0.1:{origin.port}/data"
        facts = probed(settings(throughput_url=url, http_proxy=f"127.0.0.1:{squid}"))
    assert facts.fetches is not None
    assert [fetch.body_bytes for fetch in facts.fetches] == [len(OBJECT)] * 2
