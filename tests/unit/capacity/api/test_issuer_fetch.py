"""Keys fetched over real TLS from a server on loopback that behaves, or does not."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme

from capacity.config import load
from capacity.service.issuer_keys import MAX_ANSWER_BYTES, FetchError, fetch_json
from capacity.service.principal import Role
from capacity.service.signed_tokens import SignedTokens
from tests.lab.tokens import Issuer

Answer = Callable[[BaseHTTPRequestHandler], None]


class Web:
    """An https server: path → what answers."""

    def __init__(self, directory: Path) -> None:
        self.answers: dict[str, Answer] = {}
        authority = trustme.CA()
        self.ca_file = str(directory / "ca.pem")
        authority.cert_pem.write_to_path(self.ca_file)
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                web.answers[self.path](self)

            def log_message(self, *_: object) -> None:
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(context)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # type: ignore[method-assign] # clients that hang up are the test
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://localhost:{self.server.server_port}"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    web = Web(tmp_path)
    yield web
    web.close()


def gives(body: bytes, status: int = 200, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def drips(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.1)


def test_a_token_is_verified_with_keys_from_its_issuer(web: Web) -> None:
    issuer = Issuer(web.url)
    discovery = {"issuer": web.url, "jwks_uri": f"{web.url}/keys"}
    web.answers["/.well-known/openid-configuration"] = gives(json.dumps(discovery).encode())
    web.answers["/keys"] = gives(json.dumps(issuer.jwks()).encode())
    grants = [{"scope": "sitecap.read", "role": "read"}]
    entry = {"issuer": web.url, "audience": ["us"], "ca_file": web.ca_file, "grants": grants}
    signed = SignedTokens(load({"auth.issuers": [entry]}, {}).config.auth, time.time)
    assert signed.verify(issuer.token(aud="us", scope="sitecap.read")).principal.roles == {Role.READ}


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(gives(b"{}", 500), id="status-500"),
        pytest.param(gives(b"{}", 302, Location="/good"), id="redirect"),
        pytest.param(gives(b"<html>"), id="not-json"),
        pytest.param(gives(b"\xff"), id="not-text"),
        pytest.param(gives(b"[" * 100_000), id="deep"),
        pytest.param(gives(b" " * (MAX_ANSWER_BYTES + 1)), id="large"),
        pytest.param(gives(b"{}", Content_Length="1000"), id="cut-off"),
        pytest.param(drips, id="slow"),
        pytest.param(lambda handler: handler.wfile.write(b"rubbish\r\n\r\n"), id="no-http"),
    ],
)
def test_an_answer_that_is_no_good_is_an_error_of_one_kind(web: Web, answer: Answer) -> None:
    web.answers |= {"/": answer, "/good": gives(b'{"good": true}')}
    assert fetch_json(f"{web.url}/good", 10, web.ca_file) == {"good": True}
    with pytest.raises(FetchError):
        fetch_json(f"{web.url}/", 1, web.ca_file)


def test_a_server_that_cannot_be_verified_is_not_believed(web: Web) -> None:
    web.answers["/"] = gives(b"{}")
    with pytest.raises(FetchError, match="certificate"):
        fetch_json(f"{web.url}/", 10, None)
    with pytest.raises(FetchError):
        fetch_json("https://localhost:1/", 10, web.ca_file)
