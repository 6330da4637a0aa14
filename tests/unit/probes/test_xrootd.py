"""The XRootD probe without real servers: which doors, what faults mean, and servers that misbehave on the loopback."""

from __future__ import annotations

import importlib.util
import json
import socket
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes import live_xrootd, live_xrootd_clients, live_xrootd_walk
from probes.answers import Json
from probes.host import Host
from probes.judging import Judging
from probes.live import LiveDoor
from probes.live_xrootd_worker import Sums, agrees, spread, without_token
from probes.settings import Settings
from probes.sitelocal import read_site
from probes.xrootd import PROBE, faults
from probes.xrootd.credential_clues import clues
from probes.xrootd.doors import chosen, parsed
from probes.xrootd.facts import checksum
from probes.xrootd.route import route_of
from probes.xrootd.visit import Visit
from profiles.checks import CheckResult, Status
from profiles.facts.credentials import CredentialFile, CredentialsFacts, ProxyFacts, TokenFacts
from profiles.facts.xrootd import DoorServer, XrootdDoor, XrootdFacts
from tests.lab.xrootd_fake import circle, managing, redirect, reply, silent

LFN = "/store/test/file.root"


def asking(*urls: str, redirectors: tuple[str, ...] = (), **more: Any) -> Settings:
    return Settings.model_validate(
        {
            "siteconf": {"test_lfn": LFN, "path": "/nonexistent"},
            "xrootd": {
                "local_urls": urls,
                "redirectors": redirectors,
                "connect_timeout_s": 1,
                "request_timeout_s": 2,
                "budget_s": 10,
                **more,
            },
        }
    )


def probed(chosen_settings: Settings, host: Host | None = None) -> XrootdFacts:
    facts = PROBE.gather(host or Host(LiveDoor()), chosen_settings)
    assert isinstance(facts, XrootdFacts)
    return facts


def verdicts(facts: XrootdFacts, **others: Any) -> dict[str, CheckResult]:
    results = PROBE.judge(facts, Judging(PROBE, Settings(), others))
    assert [result.id for result in results] == [check.id for check in PROBE.checks]
    assert len(PROBE.summarise(facts)) <= 60
    return {result.id: result for result in results}


class Forbidden:
    """A door behind which nothing may be asked."""

    def ask(self, kind: str, args: list[Json]) -> Any:
        raise AssertionError(f"{kind} {args} was asked")

    def observe(self, name: str, args: list[Json], live: Any) -> Any:
        raise AssertionError(f"{name} {args} was observed")

    def restore(self, text: str) -> str:
        return text


def test_nothing_is_opened_where_there_is_no_way_out() -> None:
    facts = probed(Settings(site_profile="no-outbound"), Host(Forbidden()))
    assert {result.status for result in verdicts(facts).values()} == {Status.SKIPPED}


# -- which doors -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("root://door.example", ("door.example", 1094, False, "/")),
        ("root://door.example:1095//store/x", ("door.example", 1095, False, "/store/x")),
        ("roots://door.example/store/x", ("door.example", 1094, True, "/store/x")),
        ("xroot://[2001:db8::1]:1096//", ("2001:db8::1", 1096, False, "/")),
    ],
)
def test_the_parts_of_a_url(url: str, expected: tuple[str, int, bool, str]) -> None:
    door = parsed(url, "local", None, "test")
    assert door is not None
    assert (door.host, door.port, door.secure, door.path) == expected


@pytest.mark.parametrize(
    "url", ["file:///store/x", "root://", "root://door:port/x", "davs://door.example/x", "", "root://[::1"]
)
def test_what_is_no_url_of_a_door(url: str) -> None:
    assert parsed(url, "local", None, "test") is None


def test_an_address_in_the_configuration_does_not_come_into_the_facts() -> None:
    door = parsed("root://127.0.0.1:1094", "local", LFN, "test")
    assert door is not None
    assert door.target == "(address):1094"


SITE_LOCAL = """<site-local-config><site name="T2_XX_Test"><data-access>
<catalog site="T2_XX_Test" volume="disk" protocol="XRootD"/>
<catalog site="T1_XX_Big" volume="Federation" protocol="XRootD"/>
</data-access></site></site-local-config>"""


def storage(site: str, volume: str, prefix: str) -> str:
    return json.dumps(
        [
            {
                "site": site,
                "volume": volume,
                "protocols": [{"protocol": "XRootD", "access": "site-ro", "prefix": prefix}],
            }
        ]
    )


def test_the_doors_of_siteconf_and_of_where_it_falls_back_to(tmp_path: Path) -> None:
    own, other = tmp_path / "T2_XX_Test", tmp_path / "T1_XX_Big"
    (own / "JobConfig").mkdir(parents=True)
    other.mkdir()
    (own / "JobConfig" / "site-local-config.xml").write_text(SITE_LOCAL)
    (own / "storage.json").write_text(storage("T2_XX_Test", "disk", "root://door.example:1095//pnfs"))
    (other / "storage.json").write_text(storage("T1_XX_Big", "Federation", "root://redirector.example/"))
    wanted = Settings.model_validate(
        {
            "siteconf": {"path": str(own), "test_lfn": LFN},
            "xrootd": {"redirectors": ["root://global.example"], "federation_lfn": "/store/fed.root"},
        }
    )
    doors = chosen(wanted, read_site(Host(LiveDoor()), wanted))
    assert [(door.kind, door.host, door.port, door.path) for door in doors] == [
        ("local", "door.example", 1095, f"/pnfs{LFN}"),
        ("redirector", "redirector.example", 1094, "/store/fed.root"),
        ("redirector", "global.example", 1094, "/store/fed.root"),
    ]


# -- what faults mean ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ([3, 108, 0, "[FATAL] Connection error"], "connect"),
        ([3, 103, 0, "[FATAL] Socket timeout"], "timeout"),
        ([3, 101, 0, "[FATAL] Invalid address"], "dns"),
        ([3, 110, 11, "[FATAL] TLS error: resource temporarily unavailable"], "tls-no-ca"),
        ([3, 110, 0, "[FATAL] TLS error: hostname not in SAN extension"], "tls-host-name"),
        ([3, 204, 0, "[FATAL] Auth failed: No protocols left to try"], "no-credential-accepted"),
        ([1, 400, 3010, "[ERROR] Server responded with an error: [3010] permission denied"], "denied"),
        ([1, 400, 3011, "[ERROR] Server responded with an error: [3011] No servers have the file"], "not-found"),
        ([1, 400, 3013, "[ERROR] checksum not supported"], "unsupported"),
        ([3, 306, 0, "[FATAL] Redirect limit has been reached"], "redirect-loop"),
        ([1, 206, 0, "[ERROR] Operation expired"], "timeout"),
        # xrdfs has no codes, only the sentence
        ([1, 0, 0, "[FATAL] Auth failed: No protocols left to try"], "no-credential-accepted"),
        ([1, 0, 0, "[ERROR] Server responded with an error: [3011] no such file or directory"], "not-found"),
        ([1, 0, 0, "something new"], "io"),
    ],
)  # fmt: skip
def test_the_class_of_what_a_client_says(error: Json, kind: str) -> None:
    found = faults.of_client(error)
    assert found is not None
    assert found.kind == kind
    assert not found.detail.startswith("[")


def test_each_class_has_its_sentence() -> None:
    named = {
        *faults.KXR.values(),
        *faults.XRDCL.values(),
        *faults.CONNECT.values(),
        *faults.GREETING.values(),
    }
    assert named <= set(faults.SAID)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


class Stranger:
    """A door whose observations are what a stranger's recording holds."""

    def __init__(self, answers: dict[str, Json]) -> None:
        self._answers = answers

    def ask(self, kind: str, args: list[Json]) -> Any:
        return LiveDoor().ask(kind, args)

    def observe(self, name: str, args: list[Json], live: Any) -> Any:
        return self._answers.get(name)

    def restore(self, text: str) -> str:
        return text


step_values = st.dictionaries(
    st.sampled_from(["took_s", "error", "bytes", "wanted", "size_bytes", "servers", "said", "sums", "same", "read_s", "last_url"]),
    json_values,
).map(dict)  # fmt: skip
steps = st.lists(
    st.tuples(
        st.sampled_from(["auth", "locate", "stat", "open", "first", "again", "read", "vector", "sequential", "sparse",
                         "checksum", "killed", "died"]),
        step_values,
    ).map(lambda pair: {"step": pair[0], **pair[1]}),
    max_size=12,
)  # fmt: skip
greetings = st.fixed_dictionaries(
    {
        "stage": st.sampled_from(["connect", "hello", "tls", "login", "done"]) | json_values,
        "version": st.just("5.1.1"),
    },
    optional=dict.fromkeys(
        ("error", "errno_name", "roles", "auth", "tls_offered", "tls_demands", "config", "hello_s"),
        json_values,
    ),
)


@given(
    greeting=greetings | json_values,
    walk=json_values,
    certificate=st.dictionaries(
        st.sampled_from(["verified", "code", "names", "not_after", "detail"]), json_values
    ),
    session=steps | json_values,
)
def test_answers_of_a_stranger_are_facts_or_absent(
    greeting: Json, walk: Json, certificate: Json, session: Json
) -> None:
    answers: dict[str, Json] = {
        "xrootd_clients": {"bindings": "6.2.1"},
        "xrootd_greet": greeting,
        "xrootd_walk": walk,
        "xrootd_certificate": certificate,
        "xrootd_session": session,
    }
    facts = probed(asking("root://127.0.0.1:1"), Host(Stranger(answers)))
    assert XrootdFacts.model_validate_json(facts.model_dump_json()) == facts
    verdicts(facts)


def test_a_recording_without_this_probe_leaves_facts_that_say_so(tmp_path: Path) -> None:
    class Nothing(Forbidden):
        def ask(self, kind: str, args: list[Json]) -> Any:
            from probes.errors import HostError

            if kind == "env":
                return None
            raise HostError("ENOTRECORDED", f"{kind} is not in the recording")

        def observe(self, name: str, args: list[Json], live: Any) -> Any:
            return self.ask(name, args)

    facts = probed(asking("root://door.example"), Host(Nothing()))
    assert facts.clients is None
    assert verdicts(facts)["XRD-01"].status is Status.CRITICAL


GREETED: dict[str, Json] = {"stage": "done", "version": "5.1.1", "auth": [], "tls_offered": False}
WELL: dict[str, Json] = {"error": None, "took_s": 0.1}


@pytest.mark.parametrize(
    ("finished", "last", "broken"),
    [
        ((), "killed", ("auth", "timeout")),
        (("auth", "locate", "stat"), "killed", ("open", "timeout")),
        (("auth", "locate", "stat", "open", "first", "again", "read", "vector"), "killed", ("read", "timeout")),
        (("auth", "locate", "stat", "open", "first", "again", "read", "vector", "sequential"), "killed",
         ("checksum", "timeout")),
        (("auth", "locate"), "died", ("stat", "died")),
    ],
)  # fmt: skip
def test_a_killed_client_was_busy_with_the_step_that_is_missing(
    finished: tuple[str, ...], last: str, broken: tuple[str, str]
) -> None:
    door = parsed(f"root://door.example//{LFN}", "local", None, "test")
    assert door is not None
    at = Visit(door, addresses={"IPv4": 1}, greetings={"IPv4": GREETED}, client="bindings")
    at.session = dict.fromkeys(finished, WELL) | {last: {"error": [1, 206, 0, "no end within 20 s"]}}
    step = route_of(at).broken
    assert step is not None
    assert (step.name, step.fault) == broken


# -- checksums and chunks ----------------------------------------------------------------------------------------------


def test_checksums_are_compared_without_regard_to_leading_zeros() -> None:
    session: dict[str, Any] = {
        "sequential": {"error": None, "sums": {"adler32": "002c52e1"}},
        "checksum": {"error": None, "said": "adler32 2C52E1"},
    }
    found = checksum(session)
    assert found is not None
    assert (found.server, found.read) == ("002c52e1", "002c52e1")


@given(
    size=st.integers(0, 10**10),
    count=st.integers(2, 300),
    length=st.integers(1, 10**6),
    share=st.integers(1, 5),
)
def test_spread_chunks_lie_in_the_file_and_do_not_overlap(
    size: int, count: int, length: int, share: int
) -> None:
    chunks = spread(size, count, length, share=share)
    ends = [0, *(offset + piece for offset, piece in chunks)]
    assert all(offset >= end for (offset, _), end in zip(chunks, ends, strict=False))
    assert ends[-1] <= size
    assert sum(piece for _, piece in chunks) * share <= size


@given(
    content=st.binary(min_size=1, max_size=64),
    cut=st.integers(0, 64),
    at=st.integers(0, 64),
    length=st.integers(1, 9),
)
def test_a_wrong_byte_is_seen_where_two_reads_overlap(content: bytes, cut: int, at: int, length: int) -> None:
    at = min(at, len(content) - 1)
    piece = content[at : at + length]
    cut = min(cut, len(content) - 1)
    data = content[cut:]
    assert agrees(data, cut, at, piece)
    if at + len(piece) > cut:
        wrong = bytes([piece[-1] ^ 1])
        assert not agrees(data, cut, at, piece[:-1] + wrong)


def test_sums_of_pieces_are_those_of_the_whole() -> None:
    sums = Sums()
    for piece in (b"abc", b"", b"defg"):
        sums.add(piece)
    assert sums.said() == {
        "adler32": f"{zlib.adler32(b'abcdefg'):08x}",
        "crc32": f"{zlib.crc32(b'abcdefg'):08x}",
    }


def answer_names(monkeypatch: pytest.MonkeyPatch, known: Callable[[str], tuple[str, ...] | None]) -> None:
    """Let the resolver give these addresses for the names that are known, as if they stood in DNS."""
    real = socket.getaddrinfo

    def look_up(host: Any, *args: Any, **more: Any) -> Any:
        addresses = known(host.decode() if isinstance(host, bytes) else str(host))
        if addresses is None:
            return real(host, *args, **more)
        return [entry for address in addresses for entry in real(address, *args, **more)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


# -- servers that misbehave ----------------------------------------------------------------------------------------------


@contextmanager
def saying(text: bytes) -> Iterator[int]:
    """The port of a server that says something to whoever comes, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        stop = threading.Event()

        def serve() -> None:
            while not stop.is_set():
                try:
                    link, _ = listener.accept()
                except TimeoutError:
                    continue
                with link:
                    link.sendall(text)
                    link.settimeout(1)
                    try:
                        while link.recv(4096):
                            pass
                    except OSError:
                        continue

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            stop.set()
            thread.join()


@pytest.mark.parametrize(
    "text",
    [
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        b"\0\0\0\0\x7f\xff\xff\xff" + b"x" * 100,
        b"\0\0\0\0\0\0\0\x08" + b"\xff" * 8 + b"\0" * 8,
        b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
    ],
    ids=["http", "length", "kind", "ssh"],
)
def test_what_does_not_speak_the_protocol(text: bytes) -> None:
    with saying(text) as port:
        facts = probed(asking(f"root://127.0.0.1:{port}"))
    assert facts.routes
    assert facts.routes[0].broken is not None
    assert (facts.routes[0].broken.name, facts.routes[0].broken.fault) == ("handshake", "not-xrootd")
    assert verdicts(facts)["XRD-01"].status is Status.CRITICAL


def test_a_server_that_hangs_up() -> None:
    with saying(b"\0\0\0\0") as port, socket.create_server(("127.0.0.1", 0)) as listener:
        listener.close()
        answer = live_xrootd.greet("127.0.0.1", "IPv4", port, 1, 1)
    assert answer["stage"] == "hello"
    assert answer["errno_name"] in {"ETIMEDOUT", "ECONNRESET"}


def test_silence_is_told_from_a_dead_port() -> None:
    with silent() as port:
        facts = probed(asking(f"root://127.0.0.1:{port}"))
    assert facts.routes
    assert facts.routes[0].broken is not None
    assert facts.routes[0].broken.fault == "silent"


def test_the_chain_of_a_circle_is_named() -> None:
    with circle() as (first, second):
        walk = live_xrootd_walk.walk("localhost", first.port, LFN, 5)
    assert walk["loop"] is True
    hops = [f"localhost:{port}" for port in (first.port, second.port, first.port)]
    assert walk["hops"] == hops


def test_redirections_without_end_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    answer_names(monkeypatch, lambda name: ("127.0.0.1",) if name.endswith(".lab") else None)
    with managing() as server:
        names = (f"server{number}.lab" for number in range(1000))
        server.answer = lambda code, data: redirect(next(names), server.port)
        walk = live_xrootd_walk.walk("localhost", server.port, LFN, 5)
    assert walk["loop"] is True
    assert isinstance(walk["hops"], list)
    assert len(walk["hops"]) == live_xrootd_walk.MAX_HOPS + 1


def test_a_server_that_says_wait_is_waited_for_and_no_longer_than_there_is_time() -> None:
    with managing() as server:
        told: list[int] = []

        def answer(code: int, data: bytes) -> bytes:
            told.append(code)
            first = told.count(code) == 1
            return (
                reply(4005, struct.pack(">i", 0))
                if first
                else reply(0, b"1 5 16 0\0" if code == 3017 else b"Sr[::1]:1\0")
            )

        server.answer = answer
        walk = live_xrootd_walk.walk("127.0.0.1", server.port, LFN, 5)
        assert walk["size_bytes"] == 5
        server.answer = lambda code, data: reply(4005, struct.pack(">i", 3600))
        assert "wait for 3600 s" in str(live_xrootd_walk.walk("127.0.0.1", server.port, LFN, 1)["error"])


@pytest.mark.skipif(not socket.has_ipv6, reason="this Python has no IPv6")
def test_a_dead_ipv6_address_is_said_although_ipv4_works(monkeypatch: pytest.MonkeyPatch) -> None:
    answer_names(monkeypatch, lambda name: ("127.0.0.1", "::1") if name == "dual.lab" else None)
    monkeypatch.setattr(live_xrootd_clients, "installed", dict)
    with managing() as server:
        facts = probed(asking(redirectors=(f"root://dual.lab:{server.port}",)))
    result = verdicts(facts)["XRD-01"]
    assert result.status is Status.WARNING
    assert "IPv6" in result.summary
    assert "time-out" in result.summary


def test_a_client_that_hangs_is_killed_and_what_it_said_is_kept() -> None:
    # Not importorskip: XrdCl would then live in this process, with its threads and fork handlers.
    if importlib.util.find_spec("XRootD") is None:
        pytest.skip("the XRootD bindings are not installed")
    stop = threading.Event()
    with managing() as server:
        server.answer = lambda code, data: reply(0) if stop.wait(60) else b""
        job = {
            "url": f"root://localhost:{server.port}",
            "path": LFN,
            "timeouts": live_xrootd_clients.timeouts(2, 60),
            "read_bytes": 0,
            "max_file_bytes": 0,
            "chunks": None,
        }
        steps = live_xrootd_clients.by_bindings(job, 2)
        stop.set()
    names = [step["step"] for step in steps if isinstance(step, dict)]
    assert names == ["auth", "killed"]


@pytest.mark.parametrize(
    "text",
    [
        "cannot open root://door//x?authz=Bearer%20eyJ.abc.def&a=b",
        "refused: Authorization: Bearer eyJ.abc.def",
        "AUTHZ=eyJ.abc.def",
    ],
)
def test_a_token_in_a_message_does_not_get_out(text: str) -> None:
    assert "eyJ" not in without_token(text)
    assert without_token("[FATAL] Auth failed: No protocols left to try").endswith("try")


# -- why a credential was refused ------------------------------------------------------------------------------------------


def a_door(target: str = "door.example:1094", auth: tuple[str, ...] = ("ztn",)) -> XrootdDoor:
    server = DoorServer(protocol="5.1.1", tls_offered=True, auth=auth)
    return XrootdDoor(target=target, path=LFN, kind="local", origin="test", server=server)


def with_token(**token: Any) -> Judging:
    file = CredentialFile(path="/run/bt_u1", mode=token.pop("mode", "0600"), own=True)
    facts = TokenFacts(
        source="BEARER_TOKEN_FILE",
        file=file,
        **{
            "size_bytes": 900,
            "expires_in_s": 3000.0,
            "audiences": ("https://wlcg.cern.ch/jwt/v1/any",),
            "scopes": ("storage.read:/",),
            **token,
        },
    )
    absent = {"proxy": "there is none", "authorities": "not looked at"}
    found = CredentialsFacts(token=facts, proxy=None, authorities=None, absent=absent)
    return Judging(PROBE, Settings(), {"credentials": found})


@pytest.mark.parametrize(
    ("token", "fault", "words"),
    [
        ({"mode": "0644"}, "no-credential-accepted", "mode 0644"),
        ({"expires_in_s": -7200.0}, "no-credential-accepted", "expired 2 hours ago"),
        ({"valid_in_s": 600.0}, "no-credential-accepted", "valid only 10 minutes from now"),
        ({"problem": "it has no three parts"}, "no-credential-accepted", "is no token"),
        ({"issued_ago_s": -600.0}, "no-credential-accepted", "is this clock behind?"),
        ({"size_bytes": 5000}, "no-credential-accepted", "5000 bytes"),
        ({"audiences": ("https://other.example",)}, "denied", "audience https://other.example"),
        ({"scopes": ("compute.read",)}, "denied", "does not let anyone read"),
        ({"scopes": ("storage.read:/store/tes",)}, "denied", "does not cover"),
    ],
)
def test_what_the_token_says_about_a_refusal(token: dict[str, Any], fault: str, words: str) -> None:
    found = clues(with_token(**token), a_door(), fault)
    assert found
    assert words in found[0].text


@pytest.mark.parametrize(
    "token",
    [
        {},
        {"audiences": ("https://door.example:1094",)},
        {"audiences": ("door.example",)},
        {"audiences": ()},
        {"scopes": ("storage.read:/store",)},
        {"scopes": (f"storage.read:{LFN}",)},
        {"scopes": (), "groups": ("/cms",)},
    ],
)
def test_a_good_token_is_not_blamed(token: dict[str, Any]) -> None:
    assert clues(with_token(**token), a_door(), "denied") == []


def test_a_bad_proxy_is_named_before_a_missing_token() -> None:
    file = CredentialFile(path="/tmp/x509up_u1", mode="0600", own=True)
    proxy = ProxyFacts(source="/tmp", file=file, kind="rfc3820", expires_in_s=-86_400.0 * 3)
    found = CredentialsFacts(
        token=None,
        proxy=proxy,
        authorities=None,
        absent={"token": "none is found", "authorities": "not looked at"},
    )
    judging = Judging(PROBE, Settings(), {"credentials": found})
    texts = [clue.text for clue in clues(judging, a_door(auth=("ztn", "gsi")), "no-credential-accepted")]
    assert texts == [
        "the proxy in /tmp/x509up_u1 expired 3 days ago",
        "there is no bearer token (none is found)",
    ]


def test_an_audience_that_the_site_takes_is_not_blamed() -> None:
    chosen_settings = Settings.model_validate({"credentials": {"audiences": ["https://alias.example"]}})
    judging = with_token(audiences=("https://alias.example",))
    judging.settings = chosen_settings
    assert clues(judging, a_door(), "denied") == []


def test_without_the_facts_of_the_credentials_nothing_is_guessed() -> None:
    assert clues(Judging(PROBE, Settings(), {}), a_door(), "denied") == []
