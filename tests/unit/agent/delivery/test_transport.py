"""Connections: TLS, authorities, proxies, and what is said when they fail."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from agent.delivery.errors import DeliveryError
from agent.delivery.proxy import proxy_for
from agent.delivery.transport import Transport
from tests.lab.faulty_service import FaultyService
from tests.unit.agent.delivery.examples import drain, fill, settings


def tls(authority: trustme.CA, name: str = "localhost", until: datetime | None = None) -> ssl.SSLContext:
    certificate = authority.issue_cert(name, not_after=until)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def ca_file(directory: Path, authority: trustme.CA) -> str:
    path = directory / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


def test_verified_by_an_authority_of_its_own(tmp_path: Path, authority: trustme.CA) -> None:
    fill(tmp_path, 3)
    with FaultyService(tls=tls(authority)) as service:
        assert drain(tmp_path, service.url, ca_file=ca_file(tmp_path, authority)).delivered == 3


@pytest.mark.parametrize(
    ("name", "until", "known", "says"),
    [
        ("localhost", datetime(2020, 1, 1, tzinfo=UTC), True, "expired"),
        ("elsewhere.example", None, True, "mismatch"),
        ("localhost", None, False, "unable to get local issuer"),
    ],
)
def test_a_certificate_that_is_not_good_keeps_everything_and_gives_no_token_away(
    tmp_path: Path, authority: trustme.CA, name: str, until: datetime | None, known: bool, says: str
) -> None:
    spool = fill(tmp_path, 2)
    trusted = authority if known else trustme.CA()
    with FaultyService(tls=tls(authority, name, until)) as service:
        found = drain(tmp_path, service.url, attempts=2, ca_file=ca_file(tmp_path, trusted))
    assert found.left == len(spool.waiting()) == 2
    assert says in (found.reason or "")
    assert "certificate is not good" in (found.reason or "")
    assert service.seen == []


@pytest.mark.parametrize(("content", "says"), [(None, "No such file"), ("not PEM", "delivery.ca_file")])
def test_authorities_that_cannot_be_read(tmp_path: Path, content: str | None, says: str) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(DeliveryError, match=says):
        Transport(settings(tmp_path, "https://localhost:1", ca_file=str(path)))


def test_a_token_goes_over_plain_http_to_this_machine_only(tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match="plain_http"):
        Transport(settings(tmp_path, "http://capacity.example:8443"))
    Transport(settings(tmp_path, "http://capacity.example:8443", plain_http=True)).close()
    Transport(settings(tmp_path, "http://127.0.0.1:8443")).close()


def test_through_a_proxy_with_a_name_and_a_password(tmp_path: Path) -> None:
    """The server that plays the proxy is asked for the whole address, and shown the password; no text holds it."""
    fill(tmp_path, 2)
    with FaultyService() as proxy:
        address = proxy.url.replace("http://", "http://user:p%40ss@")
        one = {"plain_http": True, "proxy": address}
        found = drain(tmp_path, "http://capacity.example", **one)  # type: ignore[arg-type]
    assert found.delivered == 2
    (request,) = proxy.seen
    assert request.path == "http://capacity.example/api/v1/profiles"
    assert request.headers["host"] == "capacity.example"
    assert request.headers["proxy-authorization"] == "Basic dXNlcjpwQHNz"


def test_a_proxy_that_is_away_is_named_without_its_password(tmp_path: Path) -> None:
    fill(tmp_path, 1)
    found = drain(
        tmp_path, "https://capacity.example", attempts=2, proxy="http://user:secret-word@localhost:1"
    )
    assert "through the proxy http://localhost:1: Connection refused" in (found.reason or "")
    assert "secret-word" not in str(found)


def test_the_environment_names_proxies_and_exceptions(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    assert proxy_for("https://capacity.example", None) is None
    monkeypatch.setenv("HTTPS_PROXY", "http://squid.example:3128")
    monkeypatch.setenv("no_proxy", "localhost,.inside.example")
    found = proxy_for("https://capacity.example", None)
    assert found is not None
    assert found.address == "http://squid.example:3128"
    assert proxy_for("http://capacity.example", None) is None
    assert proxy_for("https://a.inside.example", None) is None
    assert proxy_for("https://capacity.example", "") is None
    named = proxy_for("https://a.inside.example", "squid.other:8080")
    assert named is not None
    assert named.address == "http://squid.other:8080"


@pytest.mark.parametrize(
    "text", ["socks5://user:secret@x:1080", "http://user:secret@", "http://user:secret@x:99999999"]
)
def test_an_address_that_is_no_proxy_is_not_repeated(text: str) -> None:
    with pytest.raises(DeliveryError, match=r"delivery.proxy is no address") as caught:
        proxy_for("https://capacity.example", text)
    assert "secret" not in str(caught.value)
