"""Keys of an issuer: asked for seldom, and not missed while it is away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from capacity.errors import UnavailableError
from capacity.service.issuer_keys import IssuerKeys
from tests.lab.tokens import Issuer
from tests.unit.capacity.api.issuers import Net, settings


class TestKeys:
    def keys(self, net: Net, clock: Callable[[], float], **more: Any) -> IssuerKeys:
        found = settings(**more)
        return IssuerKeys(found.issuers[0], found, net, clock)

    def test_they_are_fetched_once_and_kept(self, net: Net) -> None:
        now = [0.0]
        keys = self.keys(net, lambda: now[0])
        for _ in range(50):
            assert keys.find("lab") is not None
        assert len(net.asked) == 2  # discovery, keys
        now[0] = 3600
        assert keys.find("lab") is not None
        assert len(net.asked) == 4

    def test_a_new_key_is_found_when_it_is_used(self, net: Net) -> None:
        now = [0.0]
        keys = self.keys(net, lambda: now[0])
        keys.find("lab")
        net.issuer = Issuer(key_id="next")
        assert keys.find("next") is None  # asked a moment ago
        now[0] = 30
        assert keys.find("next") is not None
        assert keys.find("lab") is None  # withdrawn

    def test_made_up_key_ids_do_not_make_us_ask_again_and_again(self, net: Net) -> None:
        now = [0.0]
        keys = self.keys(net, lambda: now[0])
        for number in range(1000):
            now[0] += 0.06
            assert keys.find(f"made-up-{number}") is None
        assert len(net.asked) <= 2 * (60 / 30 + 1)

    def test_an_issuer_that_is_away_does_not_matter_for_a_day(self, net: Net) -> None:
        now = [0.0]
        keys = self.keys(net, lambda: now[0])
        keys.find("lab")
        net.down = True
        now[0] = 80_000
        assert keys.find("lab") is not None
        now[0] = 90_000
        with pytest.raises(UnavailableError):
            keys.find("lab")
        net.down = False
        now[0] = 90_031
        assert keys.find("lab") is not None

    def test_one_that_was_never_reached_is_an_absence_not_a_refusal(self, net: Net) -> None:
        net.down = True
        now = [0.0]
        keys = self.keys(net, lambda: now[0])
        for _ in range(10):
            with pytest.raises(UnavailableError) as refused:
                keys.find("lab")
            assert refused.value.retry_after_s == 30
        assert len(net.asked) == 1

    @pytest.mark.parametrize(
        "document",
        [
            {"issuer": "https://evil.example", "jwks_uri": "https://issuer.lab/jwks"},
            {"issuer": "https://issuer.lab", "jwks_uri": "http://issuer.lab/jwks"},
            {"issuer": "https://issuer.lab", "jwks_uri": "file:///etc/passwd"},
            {"issuer": "https://issuer.lab"},
        ],
    )
    def test_a_discovery_document_of_somebody_else_is_not_followed(
        self, net: Net, document: dict[str, Any]
    ) -> None:
        net.document = document
        with pytest.raises(UnavailableError):
            self.keys(net, lambda: 0.0).find("lab")
        assert len(net.asked) == 1

    def test_keys_that_are_not_for_signatures_are_left_out(self, net: Net, issuer: Issuer) -> None:
        good = issuer.jwks()["keys"][0]
        others = [
            {"kty": "oct", "k": "c2VjcmV0", "kid": "shared"},
            {**good, "kid": "for-encryption", "use": "enc"},
            {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "short"},
            {"kty": "EC", "crv": "P-256", "kid": "broken"},
            "no key",
            {"kid": "nothing"},
        ]
        net.issuer = Issuer()
        net.issuer.jwks = lambda: {"keys": [*others, good]}  # type: ignore[method-assign]
        keys = self.keys(net, lambda: 0.0)
        for name in ("shared", "for-encryption", "short", "broken", "nothing"):
            assert keys.find(name) is None
        assert keys.find("lab") is not None
        assert keys.find(None) is not None  # the only one, for a token that names none
