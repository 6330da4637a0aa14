"""No address in facts or recordings; peers that drip, refuse or drop cost only themselves."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from probes import child
from probes.errors import HostError
from probes.host import Host
from probes.live import LiveDoor
from probes.network import PROBE
from probes.recording import RecordingDoor, begin, finish
from probes.redact import Redactor
from probes.replay import Recording, ReplayDoor
from probes.settings import Settings
from profiles.checks import Status
from profiles.facts.network import NetworkFacts
from tests.unit.probes.network.asking import OBJECT, UNRESOLVABLE, endpoint, probed, settings, verdicts
from tests.unit.probes.network_servers import closed_port, listening, serving


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
