"""The network probe against real servers on the loopback."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from probes import child
from probes.answers import Json
from probes.errors import HostError
from probes.host import Host
from probes.judging import Judging
from probes.live import LiveDoor
from probes.live_certificate import names
from probes.network import PROBE
from probes.recording import Recording, RecordingDoor, ReplayDoor, begin, finish
from probes.redact import Redactor
from probes.settings import Endpoint, NetworkSettings, Settings
from profiles.checks import CheckResult, Status
from profiles.facts.cores import CoresFacts
from profiles.facts.network import NetworkFacts
from tests.lab.waiting import until
from tests.unit.probes.network_servers import black_hole, closed_port, forwarding, listening, serving

UNRESOLVABLE = "a" * 64 + ".example"
"""A label of 64 characters is no host name (RFC 1035 §2.3.4), so no resolver is asked about it."""

AUTHORITY_NAME = "Campus Inspection Box"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA(organization_name=AUTHORITY_NAME)


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1", "::1").configure_cert(context)
    return context


def endpoint(port: int, *, host: str = "127.0.0.1", name: str = "service", **more: Any) -> Endpoint:
    return Endpoint(name=name, host=host, port=port, **more)


def settings(*endpoints: Endpoint, **more: Any) -> Settings:
    return Settings(network=NetworkSettings(endpoints=endpoints, **{"connect_timeout_s": 1.0, **more}))


def probed(chosen: Settings, host: Host | None = None) -> NetworkFacts:
    facts = PROBE.gather(host or Host(LiveDoor()), chosen)
    assert isinstance(facts, NetworkFacts)
    return facts


def verdicts(facts: NetworkFacts, chosen: Settings | None = None, **others: Any) -> dict[str, CheckResult]:
    results = PROBE.judge(facts, Judging(PROBE, chosen or Settings(), others))
    assert [result.id for result in results] == [check.id for check in PROBE.checks]
    return {result.id: result for result in results}


class Forbidden:
    """A door behind which nothing may be asked."""

    def ask(self, kind: str, args: list[Json]) -> Any:
        raise AssertionError(f"{kind} {args} was asked")

    def observe(self, name: str, args: list[Json], live: Any) -> Any:
        raise AssertionError(f"{name} {args} was observed")


# -- outbound, families, DNS -----------------------------------------------------------------------------------


def test_both_families_are_reached() -> None:
    with serving() as v4, serving(family=socket.AF_INET6) as v6:
        facts = probed(settings(endpoint(v4.port, name="four"), endpoint(v6.port, host="::1", name="six")))
    found = verdicts(facts)
    assert found["NET-02"].status is Status.OK
    assert found["NET-02"].value == 2
    assert found["NET-03"].status is Status.OK
    assert (facts.ipv4_local_kind, facts.ipv6_local_kind) == ("loopback", "loopback")
    assert PROBE.summarise(facts) == "2 of 2 endpoints, IPv4 + IPv6"


def test_a_name_is_looked_up_and_timed() -> None:
    with serving() as server:
        facts = probed(settings(endpoint(server.port, host="localhost")))
    assert facts.endpoints is not None
    assert facts.endpoints[0].resolve_s is not None
    assert facts.endpoints[0].target == f"localhost:{server.port}"
    assert verdicts(facts)["NET-02"].status is Status.OK
    assert "localhost" in verdicts(facts)["NET-01"].evidence[0]


def test_one_dead_family_of_two_is_a_warning() -> None:
    with serving() as server:
        chosen = settings(endpoint(server.port), endpoint(closed_port(), host="::1", name="six"))
        found = verdicts(probed(chosen))
    assert found["NET-03"].status is Status.WARNING
    assert "IPv6" in found["NET-03"].summary
    assert "ECONNREFUSED" in " ".join(found["NET-03"].evidence)


def test_without_any_ipv6_address_the_family_is_skipped() -> None:
    with serving() as server:
        assert verdicts(probed(settings(endpoint(server.port))))["NET-03"].status is Status.SKIPPED


@pytest.mark.parametrize(("essential", "status"), [(False, Status.WARNING), (True, Status.CRITICAL)])
def test_a_refused_endpoint_weighs_as_much_as_it_is_essential(essential: bool, status: Status) -> None:
    with serving() as server:
        chosen = settings(
            endpoint(server.port), endpoint(closed_port(), name="broken one", essential=essential)
        )
        found = verdicts(probed(chosen))
    assert found["NET-02"].status is status
    assert "broken one" in found["NET-02"].summary
    assert found["NET-02"].value == 1


def test_a_black_hole_ends_by_the_time_out_and_costs_only_itself() -> None:
    with serving() as server, black_hole() as port:
        facts = probed(settings(endpoint(server.port), endpoint(port, name="hole"), connect_timeout_s=0.3))
    assert facts.endpoints is not None
    assert facts.endpoints[1].attempts[0].errno_name == "ETIMEDOUT"
    assert verdicts(facts)["NET-02"].status is Status.WARNING


def test_no_endpoint_at_all_is_critical_and_names_the_site_profile() -> None:
    found = verdicts(probed(settings(endpoint(closed_port()), endpoint(closed_port(), name="other"))))
    assert found["NET-02"].status is Status.CRITICAL
    assert found["NET-03"].status is Status.CRITICAL
    assert "no-outbound" in (found["NET-02"].hint or "")
    assert found["CTX-03"].status is Status.UNKNOWN
    assert found["NET-05"].status is Status.SKIPPED


def test_names_that_do_not_resolve() -> None:
    facts = probed(settings(endpoint(443, host=UNRESOLVABLE, tls=True)))
    found = verdicts(facts)
    assert found["NET-01"].status is Status.CRITICAL
    assert "resolver or no outbound" in (found["NET-01"].hint or "")
    assert found["NET-02"].status is Status.CRITICAL
    assert found["NET-04"].status is Status.SKIPPED


@pytest.mark.parametrize(("essential", "status"), [(False, Status.WARNING), (True, Status.CRITICAL)])
def test_one_name_that_does_not_resolve(essential: bool, status: Status) -> None:
    with serving() as server:
        chosen = settings(
            endpoint(server.port, host="localhost"),
            endpoint(1, host=UNRESOLVABLE, name="x", essential=essential),
        )
        found = verdicts(probed(chosen))
    assert found["NET-01"].status is status


def test_a_slow_look_up_is_a_warning() -> None:
    with serving() as server:
        facts = probed(settings(endpoint(server.port, host="localhost")))
    assert facts.endpoints is not None
    assert verdicts(facts)["NET-01"].status is Status.OK or facts.endpoints[0].resolve_s > 1  # type: ignore[operator]
    slow = facts.model_copy(
        update={"endpoints": (facts.endpoints[0].model_copy(update={"resolve_s": 1.01}),)}
    )
    assert verdicts(slow)["NET-01"].status is Status.WARNING


def test_the_no_outbound_profile_opens_nothing_and_skips_all() -> None:
    chosen = Settings(site_profile="no-outbound")
    facts = probed(chosen, Host(Forbidden()))
    found = verdicts(facts, chosen)
    assert {result.status for result in found.values()} == {Status.SKIPPED}
    assert all("no-outbound" in (result.reason or "") for result in found.values())


def test_no_configured_endpoint_is_skipped_with_its_reason() -> None:
    found = verdicts(probed(settings()))
    assert {result.status for result in found.values()} == {Status.SKIPPED}
    assert found["NET-02"].reason == "network.endpoints is empty"


# -- TLS and HTML ----------------------------------------------------------------------------------------------


def test_a_certificate_of_a_configured_authority_is_verified(
    server_tls: ssl.SSLContext, ca_file: str
) -> None:
    with serving(tls=server_tls) as server:
        facts = probed(settings(endpoint(server.port, host="localhost", tls=True), ca_path=ca_file))
        assert ("HEAD", "/") in server.asked
    assert facts.endpoints is not None
    tls = facts.endpoints[0].tls
    assert tls is not None
    assert (tls.works, tls.verified) == (True, True)
    assert AUTHORITY_NAME in (tls.issuer or "")
    assert verdicts(facts)["NET-04"].status is Status.OK
    assert verdicts(facts)["CTX-03"].status is Status.OK


def test_an_unknown_authority_is_named_and_its_clock_not_believed(
    server_tls: ssl.SSLContext, tmp_path: Path
) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    with serving(tls=server_tls) as server:
        facts = probed(settings(endpoint(server.port, host="localhost", tls=True), ca_path=str(other)))
        assert server.asked == []
    found = verdicts(facts)
    assert found["NET-04"].status is Status.WARNING
    assert f"organizationName={AUTHORITY_NAME}" in found["NET-04"].summary
    assert found["CTX-03"].status is Status.UNKNOWN


def test_the_directory_of_the_grid_is_used_and_then_that_of_the_system(
    server_tls: ssl.SSLContext, ca_file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = tmp_path / "grid"
    grid.mkdir()
    (grid / "some.namespaces").write_text("TO Issuer\n")
    monkeypatch.setenv("X509_CERT_DIR", str(grid))
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)  # what OpenSSL takes for the system's authorities
    with serving(tls=server_tls) as server:
        facts = probed(settings(endpoint(server.port, host="localhost", tls=True)))
    assert facts.endpoints is not None
    assert facts.endpoints[0].tls is not None
    assert facts.endpoints[0].tls.verified
    assert facts.endpoints[0].tls.authorities == "system"
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed, so no hashed directory can be made")
    shutil.copy(ca_file, grid / "authority.pem")
    subprocess.run([openssl, "rehash", str(grid)], check=True)
    with serving(tls=server_tls) as server:
        facts = probed(settings(endpoint(server.port, host="localhost", tls=True)))
    assert facts.endpoints is not None
    assert facts.endpoints[0].tls is not None
    assert facts.endpoints[0].tls.authorities == str(grid)


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_authorities_that_cannot_be_used_are_no_interception(
    server_tls: ssl.SSLContext, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with serving(tls=server_tls) as server:
        found = verdicts(probed(settings(endpoint(server.port, tls=True), ca_path=str(path))))
    assert found["NET-04"].status is Status.UNKNOWN
    assert "ca.pem" in (found["NET-04"].reason or "")


def test_a_certificate_for_another_name_is_a_warning(authority: trustme.CA, ca_file: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("other.example").configure_cert(context)
    with serving(tls=context) as server:
        found = verdicts(probed(settings(endpoint(server.port, tls=True), ca_path=ca_file)))
    assert found["NET-04"].status is Status.WARNING
    assert "127.0.0.1" not in found["NET-04"].model_dump_json()


def test_a_port_that_takes_connections_but_speaks_no_tls(ca_file: str) -> None:
    with serving() as server:
        found = verdicts(probed(settings(endpoint(server.port, tls=True), ca_path=ca_file)))
    assert found["NET-04"].status is Status.WARNING
    assert "not TLS" in found["NET-04"].summary


def test_html_in_place_of_data_is_a_warning() -> None:
    portal = {"body": b"<html>log in</html>", "content_type": "text/html; charset=utf-8"}
    with serving(**portal) as server:  # type: ignore[arg-type]
        found = verdicts(probed(settings(endpoint(server.port, http_path="/cvmfs/info"))))
        assert server.asked == [("HEAD", "/cvmfs/info")]
    assert found["NET-04"].status is Status.WARNING
    assert "HTML" in found["NET-04"].summary


@pytest.mark.parametrize(
    ("content_type", "status", "fields", "verdict"),
    [
        ("application/json", 200, {}, Status.OK),
        ("text/html", 404, {}, Status.OK),
        ("text/html", 511, {}, Status.WARNING),
        ("text/html", 403, {"X-Squid-Error": "ERR_ACCESS_DENIED 0"}, Status.WARNING),
    ],
)
def test_what_counts_as_a_page_in_between(
    content_type: str, status: int, fields: dict[str, str], verdict: Status
) -> None:
    with serving(content_type=content_type, status=status, fields=fields) as server:
        found = verdicts(probed(settings(endpoint(server.port, http_path="/object"))))
    assert found["NET-04"].status is verdict


def test_a_cache_on_the_way_is_evidence() -> None:
    with serving(fields={"Via": "1.1 box.example (squid/5.7)"}) as server:
        found = verdicts(probed(settings(endpoint(server.port, http_path="/object"))))
    assert any("box.example" in line for line in found["NET-04"].evidence)


# -- the clock -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("clock_s", "status"),
    [
        (0, Status.OK),
        (-30, Status.WARNING),
        (30, Status.WARNING),
        (-90, Status.CRITICAL),
        (90, Status.CRITICAL),
    ],
)
def test_the_clock_is_measured_within_its_uncertainty(clock_s: float, status: Status) -> None:
    with serving(clock_s=clock_s) as server:
        facts = probed(settings(endpoint(server.port, http_path="/")))
    assert facts.clock_skew_s is not None
    assert facts.clock_uncertainty_s is not None
    assert abs(facts.clock_skew_s + clock_s) <= facts.clock_uncertainty_s
    found = verdicts(facts)["CTX-03"]
    assert found.status is status
    assert found.unit == "s"


def test_one_wrong_server_does_not_move_the_median() -> None:
    with serving() as one, serving() as two, serving(clock_s=3600) as wrong:
        endpoints = [
            endpoint(server.port, http_path="/", name=f"s{number}")
            for number, server in enumerate((one, wrong, two))
        ]
        facts = probed(settings(*endpoints))
    assert facts.clock_skew_s is not None
    assert abs(facts.clock_skew_s) <= (facts.clock_uncertainty_s or 0)


def test_the_age_of_a_cached_answer_is_added_to_its_date() -> None:
    with serving(clock_s=-7200, fields={"Age": "7200"}) as server:
        facts = probed(settings(endpoint(server.port, http_path="/")))
    assert verdicts(facts)["CTX-03"].status is Status.OK


@pytest.mark.parametrize("skew_s", [5.0, -5.0])
def test_five_seconds_are_still_good_and_a_site_may_move_that(skew_s: float) -> None:
    with serving() as server:
        facts = probed(settings(endpoint(server.port, http_path="/"))).model_copy(
            update={"clock_skew_s": skew_s}
        )
    assert verdicts(facts)["CTX-03"].status is Status.OK
    moved = Settings(thresholds={"CTX-03": {"warn_above_s": 4}})
    assert verdicts(facts, moved)["CTX-03"].status is Status.WARNING


# -- throughput ------------------------------------------------------------------------------------------------

OBJECT = bytes(range(256)) * 4096


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


# -- privacy, recording, hostile peers -------------------------------------------------------------------------


def test_no_address_is_in_the_facts(server_tls: ssl.SSLContext, ca_file: str) -> None:
    with serving(tls=server_tls) as server, serving(family=socket.AF_INET6) as six:
        chosen = settings(
            endpoint(server.port, tls=True),
            endpoint(six.port, host="::1", name="by [::1] and 127.0.0.1"),
            endpoint(closed_port(), name="closed"),
            ca_path=ca_file,
        )
        facts = probed(chosen)
    text = facts.model_dump_json()
    assert "127.0.0.1" not in text
    assert "::1" not in text


def test_a_recording_replays_to_the_same_facts(
    server_tls: ssl.SSLContext, ca_file: str, tmp_path: Path
) -> None:
    directory = tmp_path / "recording"
    begin(directory)
    door = RecordingDoor(LiveDoor(), directory, PROBE.name, Redactor({"localhost": "host"}, b"key"))
    with serving(tls=server_tls) as secure, serving(clock_s=40) as plain, serving(body=OBJECT) as origin:
        chosen = settings(
            *(endpoint(plain.port, http_path=f"/{number}", name=f"plain {number}") for number in range(20)),
            endpoint(secure.port, tls=True, name="secure"),
            endpoint(closed_port(), name="closed"),
            endpoint(1, host=UNRESOLVABLE, name="unresolved"),
            ca_path=ca_file,
            throughput_url=f"http://127.0.0.1:{origin.port}/",
        )
        live = probed(chosen, Host(door))
    door.close()
    finish(directory, agent_version="0", created_at="2026-01-01T00:00:00Z", redacted=True)
    assert (directory / "answers.jsonl").stat().st_size < len(OBJECT), (
        "the downloaded object is not kept whole"
    )
    replayed = probed(chosen, Host(ReplayDoor(Recording(directory), PROBE.name)))
    assert replayed == live
    assert live.clock_skew_s is not None


def test_an_empty_recording_gives_reasons_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "recording.json").write_text(json.dumps({"recording_version": "1.0"}))
    (tmp_path / "answers.jsonl").write_text("")
    host = Host(ReplayDoor(Recording(tmp_path), PROBE.name))
    facts = probed(Settings(), host)
    assert facts.absent["tcp_keepalive_s"]
    assert verdicts(facts)["NET-01"].status is Status.CRITICAL


@pytest.mark.parametrize("reply", [b"\x16", b"H"])
def test_a_peer_that_drips_bytes_is_cut_off(reply: bytes, ca_file: str) -> None:
    with listening(reply=reply) as port:
        host = Host(LiveDoor())
        trial = host.tls("localhost", "127.0.0.1", port, ca_path=ca_file, timeout_s=0.5)
        assert not trial.works
    with listening(reply=reply) as port:
        answer = host.http_get(f"http://127.0.0.1:{port}/", timeout_s=0.5, head=True)
        assert answer.status is None
        assert answer.error


def test_https_through_a_proxy_that_refuses_the_tunnel(ca_file: str) -> None:
    with serving(status=403) as server:
        answer = Host(LiveDoor()).http_get(
            "https://localhost:1/", proxy=f"127.0.0.1:{server.port}", ca_path=ca_file
        )
    assert answer.status is None
    assert "refused CONNECT" in (answer.error or "")


@pytest.mark.parametrize("url", ["ftp://localhost/", "http://", "http://localhost:70000/", "localhost"])
def test_what_is_no_url_is_refused_in_one_sentence(url: str) -> None:
    with pytest.raises(HostError, match="not an http or https URL"):
        Host(LiveDoor()).http_get(url)


@pytest.mark.parametrize("text", ["-5", "1" * 400, "\x00\xff", "", "７２００"])
def test_a_damaged_keepalive_is_absent_with_its_reason(text: str, tmp_path: Path) -> None:
    path = tmp_path / "proc/sys/net/ipv4/tcp_keepalive_time"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    facts = probed(settings(), Host(LiveDoor(str(tmp_path))))
    assert facts.tcp_keepalive_s is None
    assert facts.absent["tcp_keepalive_s"]


IN_A_CHILD = """
import json, os
from probes import child
from probes.live import LiveDoor
from probes.network import PROBE
from probes.settings import Endpoint, NetworkSettings, Settings

endpoints = tuple(
    Endpoint(name=f"hole {number}", host=f"10.50.0.{number}", port=443, tls=True) for number in range(1, 65)
)
settings = Settings(network=NetworkSettings(endpoints=endpoints, connect_timeout_s=1))
pid, pipe = child.start(PROBE, lambda name: LiveDoor(), settings)
os.set_blocking(pipe, True)
with open(pipe, "rb") as stream:
    print(stream.read().decode().splitlines()[-1])
os.waitpid(pid, 0)
"""

EVERYTHING_DROPPED = (
    "ip link set lo up && ip route add local 10.0.0.0/8 dev lo && iptables -A INPUT -d 10.0.0.0/8 -j DROP"
)


@pytest.mark.lab
def test_64_endpoints_behind_a_firewall_that_drops_fit_into_the_memory_of_a_child() -> None:
    if os.geteuid() != 0 or not all(shutil.which(program) for program in ("unshare", "ip", "iptables")):
        pytest.skip("needs root, unshare, ip and iptables for a network namespace of its own")
    done = subprocess.run(
        [
            "unshare",
            "--net",
            "sh",
            "-c",
            f'{EVERYTHING_DROPPED} && exec "$0" -c "$1"',
            sys.executable,
            IN_A_CHILD,
        ],
        # glibc allows 8 arenas a core: this is the number on a node of 64 cores.
        env={**os.environ, "PYTHONPATH": str(Path(child.__file__).parents[1]), "MALLOC_ARENA_MAX": "512"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("="), done.stdout + done.stderr
    facts = NetworkFacts.model_validate_json(done.stdout[1:])
    assert [attempt.errno_name for place in facts.endpoints or () for attempt in place.attempts] == [
        "ETIMEDOUT"
    ] * 64


def test_the_names_of_an_unverified_certificate_are_those_that_a_parser_reads(authority: trustme.CA) -> None:
    pem = authority.issue_cert(
        "wn.example", common_name="Zürich 手", organization_name="A, B"
    ).cert_chain_pems[0]
    certificate = x509.load_pem_x509_certificate(pem.bytes())
    der = certificate.public_bytes(Encoding.DER)
    for found, wanted in zip(names(der), (certificate.issuer, certificate.subject), strict=True):
        for attribute in wanted:
            assert str(attribute.value) in (found or "")
    assert "commonName=Zürich 手" in (names(der)[1] or "")


@given(st.data())
def test_a_damaged_certificate_has_names_or_none(authority: trustme.CA, data: st.DataObject) -> None:
    der = bytearray(ssl.PEM_cert_to_DER_cert(authority.cert_pem.bytes().decode()))
    for place in data.draw(st.lists(st.integers(0, len(der) - 1), min_size=1, max_size=4)):
        der[place] = data.draw(st.integers(0, 255))
    for name in names(bytes(der[: data.draw(st.integers(0, len(der)))])):
        assert name is None or (name.isprintable() and len(name) <= 512)
