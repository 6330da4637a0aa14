"""The service as a whole process: TLS, its end, slow and greedy clients, several workers."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import threading
import time
from pathlib import Path

import pytest
import trustme

from capacity.service.principal import Role
from tests.integration.capacity.conftest import Serve
from tests.lab.postgres import Server
from tests.lab.waiting import until
from tests.unit.capacity.documents import SITE, node, profile

pytestmark = pytest.mark.lab

JSON = {"Content_Type": "application/json"}
PATIENCE = {"SERVER__HEADER_S": "1", "SERVER__BODY_S": "1.5"}


def test_from_nothing_to_a_node_s_estimate(serve: Serve) -> None:
    service = serve()
    token = service.token(Role.SUBMIT, SITE)
    assert service.ask("POST", "/api/v1/profiles", token, profile(node_id=node(5)), **JSON).status == 202
    state = service.ask("GET", f"/api/v1/nodes/{SITE}/{node(5)}").json()
    assert state["estimate"]["hs23_per_core"] > 0
    assert state["estimate"]["low"] < state["estimate"]["hs23_per_core"] < state["estimate"]["high"]
    assert service.ask("GET", f"/sites/{SITE}").status == 200
    assert service.ask("GET", f"/api/v1/exports/site-capacity?site={SITE}").status == 200
    assert token.split("_", 2)[2] not in service.log


def test_tls_with_our_own_certificate(serve: Serve, tmp_path: Path) -> None:
    authority = trustme.CA()
    leaf = authority.issue_cert("localhost")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    leaf.private_key_pem.write_to_path(tmp_path / "key.pem")
    for blob in leaf.cert_chain_pems:
        blob.write_to_path(tmp_path / "cert.pem", append=True)
    files = ("--tls-certificate", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem"))
    service = serve(arguments=files, ca_file=tmp_path / "ca.pem")
    answer = service.ask("GET", "/healthz")
    assert answer.status == 200
    assert "strict-transport-security" in answer.headers
    context = ssl.create_default_context()  # that does not know the authority
    with (
        socket.create_connection(("localhost", service.port), timeout=30) as plain,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        context.wrap_socket(plain, server_hostname="localhost")
    with socket.create_connection(("localhost", service.port), timeout=30) as plain:
        plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert not plain.recv(100).startswith(b"HTTP/1.1 200")


def test_a_term_signal_lets_running_requests_finish(serve: Serve) -> None:
    service = serve()
    token = service.token(Role.SUBMIT, SITE)
    body = b"\n".join(profile(node_id=node(number)) for number in range(400))
    found: list[int] = []

    def post() -> None:
        found.append(
            service.ask("POST", "/api/v1/profiles", token, body, Content_Type="application/x-ndjson").status
        )

    thread = threading.Thread(target=post)
    connection = service.connect()
    connection.request("GET", "/healthz")
    connection.getresponse().read()
    thread.start()
    time.sleep(0.2)
    connection.close()
    status = service.stop()
    thread.join(60)
    assert status == -signal.SIGTERM
    assert found == [200]
    service.start()
    assert (
        sum(one["profiles"] for one in service.ask("GET", "/api/v1/nodes?limit=1000").json()["nodes"]) == 400
    )


class TestSlowClients:
    """Slow loris: who sends slowly loses the connection, and nobody else notices."""

    def closed_after_s(self, port: int, first: bytes, then: bytes) -> tuple[float, bytes]:
        """Seconds until the service closes a connection on which a byte comes every 0.2 s."""
        with socket.create_connection(("localhost", port), timeout=30) as slow:
            slow.sendall(first)
            slow.settimeout(0.2)
            began, answer = time.monotonic(), b""
            while time.monotonic() - began < 30:
                try:
                    slow.sendall(then)
                    part = slow.recv(1000)
                except TimeoutError:
                    continue
                except OSError:
                    break
                if not part:
                    break
                answer += part
            return time.monotonic() - began, answer

    def test_all_are_bounded(self, serve: Serve) -> None:
        service = serve(settings=PATIENCE)
        token = service.token(Role.SUBMIT, SITE)
        head = f"POST /api/v1/profiles HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n".encode()
        chunked = b"Transfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n"
        cases = {
            "nothing at all": (b"", b""),
            "an endless head": (b"GET / HTTP/1.1\r\nX: ", b"x"),
            "a second head after a request": (b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", b"G"),
            "an endless body": (head + chunked, b"1\r\nx\r\n"),
            "an endless form": (b"POST /login HTTP/1.1\r\nHost: x\r\n" + chunked, b"1\r\nx\r\n"),
            "a body that nobody reads": (
                b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n",
                b"x",
            ),
        }
        for name, (first, then) in cases.items():
            took_s, answer = self.closed_after_s(service.port, first, then)
            assert took_s < 29, name
            if name in {"an endless body", "an endless form"}:
                assert answer.startswith(b"HTTP/1.1 408"), (name, answer)
        assert service.ask("GET", "/healthz").status == 200

    @pytest.mark.parametrize(
        ("first", "then"),
        [
            (b"GET / HTTP/1.1\r\nX: ", b"x" * 1000),
            (b"GET / HTTP/1.1\r\n", b"X: y\r\n" * 200),
            (
                b"POST /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n",
                b"X: y\r\n" * 200,
            ),
        ],
        ids=["one header", "many headers", "trailers"],
    )
    def test_what_is_not_a_body_is_bounded_in_size(self, serve: Serve, first: bytes, then: bytes) -> None:
        service = serve()
        most_bytes = 32 * 1024 * 1024  # most of it waits in buffers of the system
        sent = 0
        with socket.create_connection(("localhost", service.port), timeout=30) as greedy:
            greedy.sendall(first)
            try:
                while sent < most_bytes:
                    greedy.sendall(then)
                    sent += len(then)
            except OSError:
                pass
        assert sent < most_bytes
        assert service.ask("GET", "/healthz").status == 200

    def test_many_of_them_do_not_keep_others_out(self, serve: Serve) -> None:
        service = serve(settings={**PATIENCE, "SERVER__MAX_CONNECTIONS": "60"})
        slow = [socket.create_connection(("localhost", service.port), timeout=30) for _ in range(80)]
        try:
            for one in slow:
                one.sendall(b"GET / HTTP/1.1\r\nX: ")
            time.sleep(3)
            assert service.ask("GET", "/healthz").status == 200
        finally:
            for one in slow:
                one.close()


def test_several_workers_share_one_database_and_count_together(serve: Serve, postgres: Server) -> None:
    service = serve(database=postgres.create(), arguments=("--workers", "2"))
    token = service.token(Role.SUBMIT, SITE)
    for number in range(20):
        assert (
            service.ask("POST", "/api/v1/profiles", token, profile(node_id=node(number)), **JSON).status
            == 202
        )
    told = service.ask("GET", "/metrics").body.decode()
    assert 'sitecap_profiles_total{status="stored"} 20.0' in told
    service.kill()  # the parent alone: its workers must not go on without it

    def gone() -> bool:
        try:
            socket.create_connection(("localhost", service.port), timeout=5).close()
        except OSError:
            return True
        return False

    for _ in range(100):
        if gone():
            break
        time.sleep(0.2)
    assert gone()


def test_an_address_in_use_costs_a_sentence(serve: Serve) -> None:
    service = serve()
    with pytest.raises(Exception, match="cannot listen on"):
        serve(port=service.port)


def test_logs_are_objects_a_line(serve: Serve) -> None:
    service = serve()
    service.ask("GET", "/sites")

    def told() -> bool:
        lines = [json.loads(line) for line in service.log.splitlines()]
        return any(line.get("path") == "/sites" for line in lines)

    until("the request in the log", told, limit_s=30)
    assert os.getpid() != service.pid
