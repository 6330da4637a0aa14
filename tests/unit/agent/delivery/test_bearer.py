from __future__ import annotations

from pathlib import Path

import pytest

from agent.config import ConfigError, load
from agent.delivery.bearer import BearerError, bearer
from tests.lab.tokens import Issuer
from tests.unit.agent.delivery.examples import settings, token_file

SERVICE = "https://capacity.example"


def test_discovered_by_the_wlcg_order_and_read_again_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = settings(tmp_path).model_copy(update={"token_file": None})
    monkeypatch.delenv("BEARER_TOKEN", raising=False)
    monkeypatch.setenv("BEARER_TOKEN_FILE", str(token_file(tmp_path)))
    assert bearer(one) == ("first-token", "BEARER_TOKEN_FILE")
    token_file(tmp_path).write_text("renewed\n")
    assert bearer(one).text == "renewed"
    monkeypatch.setenv("BEARER_TOKEN", "of-the-variable")
    assert bearer(one) == ("of-the-variable", "BEARER_TOKEN")


def test_the_setting_comes_before_discovery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEARER_TOKEN", "of-the-variable")
    assert bearer(settings(tmp_path)).text == "first-token"


@pytest.mark.parametrize(("content", "says"), [(None, "does not exist"), ("a b\nc", "RFC 6750")])
def test_a_file_that_cannot_be_used(tmp_path: Path, content: str | None, says: str) -> None:
    one = settings(tmp_path)
    token_file(tmp_path).unlink()
    if content is not None:
        token_file(tmp_path).write_text(content)
    with pytest.raises(BearerError, match=says) as caught:
        bearer(one)
    assert "a b" not in str(caught.value)


@pytest.mark.parametrize(
    ("audience", "good"),
    [
        (SERVICE, True),
        (["https://other", SERVICE], True),
        ("https://wlcg.cern.ch/jwt/v1/any", True),
        ("https://storage.example", False),
        (None, False),
    ],
)
def test_a_token_that_is_made_for_others_is_not_given_away(
    tmp_path: Path, audience: str | list[str] | None, good: bool
) -> None:
    token = Issuer().token(aud=audience)
    token_file(tmp_path).write_text(token)
    one = settings(tmp_path, audience=(SERVICE,))
    if good:
        assert bearer(one).text == token
        return
    with pytest.raises(BearerError, match="is made for others") as caught:
        bearer(one)
    assert token not in str(caught.value)


def test_a_token_of_the_service_itself_names_no_audience(tmp_path: Path) -> None:
    token_file(tmp_path).write_text("sitecap_ID_SECRET")
    assert bearer(settings(tmp_path, audience=(SERVICE,))).text == "sitecap_ID_SECRET"


@pytest.mark.parametrize(
    "url",
    ["ftp://x", "https://", "https://user:secret@x", "https://x?token=secret", "https://x:99999999", "x"],
)
def test_an_address_that_is_no_service_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ConfigError, match=r"delivery\.url") as caught:
        load({"delivery.url": url}, {"HOME": "/nowhere"})
    assert "secret" not in str(caught.value)


def test_the_password_of_a_proxy_is_masked() -> None:
    loaded = load({"delivery.proxy": "http://user:hunter2@squid:3128"}, {"HOME": "/nowhere"})
    assert "hunter2" not in str(loaded.values)
