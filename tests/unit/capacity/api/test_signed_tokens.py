"""Tokens that an issuer signed: believed only if everything about them is right."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from capacity.config import ConfigError
from capacity.errors import RefusedError
from capacity.service.credentials import UnauthenticatedError
from capacity.service.principal import Principal, Role
from capacity.service.signed_tokens import SignedTokens
from tests.lab.tokens import ANY_AUDIENCE, Issuer
from tests.unit.capacity.api.issuers import AUDIENCE, Net, settings
from tests.unit.capacity.documents import OTHER_SITE, SITE


@pytest.fixture
def verify(net: Net) -> Callable[[str], Principal]:
    signed = SignedTokens(settings(), time.time, net)
    return lambda text: signed.verify(text).principal


Verify = Callable[[str], Principal]


class TestGrants:
    def test_a_site_in_the_scope_is_the_site_granted(self, issuer: Issuer, verify: Verify) -> None:
        found = verify(
            issuer.token(aud=AUDIENCE, scope=f"openid sitecap.submit:/{SITE} sitecap.submit:/{OTHER_SITE}")
        )
        assert found == Principal(
            "alice@https://issuer.lab", frozenset({Role.SUBMIT}), frozenset({SITE, OTHER_SITE})
        )

    def test_a_right_to_read_does_not_widen_the_right_to_write(self, issuer: Issuer, verify: Verify) -> None:
        found = verify(issuer.token(aud=AUDIENCE, scope=f"sitecap.read sitecap.submit:/{SITE}"))
        assert found.roles == {Role.READ, Role.SUBMIT}
        assert not found.may_write_for(OTHER_SITE)

    def test_a_reader_writes_nowhere(self, issuer: Issuer, verify: Verify) -> None:
        found = verify(issuer.token(aud=AUDIENCE, scope="sitecap.read"))
        assert found.sites == frozenset()
        with pytest.raises(RefusedError):
            found.require(Role.SUBMIT)

    def test_a_group_is_needed_where_it_is_asked_for(self, issuer: Issuer, verify: Verify) -> None:
        groups = {"wlcg.groups": ["/cms", "/cms/capacity"]}
        found = verify(issuer.token(aud=AUDIENCE, scope="sitecap.admin", claims=groups))
        assert found.roles == {Role.ADMIN}
        assert found.may_write_for(SITE)
        for others in ({"wlcg.groups": ["/cms"]}, {"wlcg.groups": "/cms/capacity"}, {}):
            with pytest.raises(UnauthenticatedError):
                verify(issuer.token(aud=AUDIENCE, scope="sitecap.admin", claims=others))

    def test_a_subject_is_needed_where_it_is_asked_for(self, issuer: Issuer, verify: Verify) -> None:
        robot = issuer.token(aud=AUDIENCE, claims={"sub": "robot"})
        assert verify(robot).sites == {SITE}
        with pytest.raises(UnauthenticatedError):
            verify(issuer.token(aud=AUDIENCE))

    @pytest.mark.parametrize(
        "scope",
        [
            None,
            "",
            "sitecap.submit:/",
            "sitecap.submit:/*",
            "sitecap.submit:/T2_LV_Example/..",
            "xsitecap.read",
            "sitecap.read:/",
            "SITECAP.READ",
        ],
    )
    def test_a_scope_that_is_not_granted_is_good_for_nothing(
        self, issuer: Issuer, verify: Verify, scope: str | None
    ) -> None:
        with pytest.raises(UnauthenticatedError):
            verify(issuer.token(aud=AUDIENCE, scope=scope))


class TestClaims:
    @pytest.mark.parametrize(
        "wrong",
        [
            {"aud": None},
            {"aud": "https://other.example"},
            {"aud": ANY_AUDIENCE},
            {"aud": ["https://other.example"]},
            {"expires_in_s": -61},
            {"valid_in_s": 120},
            {"issued_ago_s": -120},
            {"claims": {"exp": None}},
            {"claims": {"exp": "tomorrow"}},
            {"claims": {"exp": float("inf")}},
            {"claims": {"sub": None}},
            {"claims": {"sub": 7}},
            {"claims": {"sub": "line\nbreak"}},
            {"claims": {"sub": "x" * 101}},
            {"claims": {"iss": "https://issuer.lab/"}},
            {"claims": {"iss": "https://evil.example"}},
            {"claims": {"iss": ["https://issuer.lab"]}},
        ],
    )
    def test_a_wrong_claim_is_refused(self, issuer: Issuer, verify: Verify, wrong: dict[str, Any]) -> None:
        with pytest.raises(UnauthenticatedError):
            verify(issuer.token(**{"aud": AUDIENCE, "scope": "sitecap.read", **wrong}))

    @pytest.mark.parametrize("late", [{"expires_in_s": -30}, {"valid_in_s": 30}, {"issued_ago_s": -30}])
    def test_clocks_may_differ_a_little(self, issuer: Issuer, verify: Verify, late: dict[str, Any]) -> None:
        assert verify(issuer.token(aud=AUDIENCE, scope="sitecap.read", **late))

    def test_one_of_several_audiences_is_enough(self, issuer: Issuer, verify: Verify) -> None:
        assert verify(issuer.token(aud=["https://other.example", AUDIENCE], scope="sitecap.read"))

    def test_an_issuer_that_is_not_configured_is_never_asked(self, verify: Verify, net: Net) -> None:
        with pytest.raises(UnauthenticatedError):
            verify(Issuer("https://evil.example").token(aud=AUDIENCE, scope="sitecap.read"))
        assert net.asked == []


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


class TestForgeries:
    def claims(self) -> dict[str, Any]:
        return {
            "iss": "https://issuer.lab",
            "sub": "mallory",
            "aud": AUDIENCE,
            "scope": "sitecap.read",
            "exp": time.time() + 600,
        }

    def test_another_key_under_the_same_id(self, verify: Verify) -> None:
        with pytest.raises(UnauthenticatedError):
            verify(Issuer().token(aud=AUDIENCE, scope="sitecap.read"))

    @pytest.mark.parametrize("algorithm", ["none", "None", "NONE"])
    def test_no_signature(self, verify: Verify, algorithm: str) -> None:
        for signature in ("", "AA"):
            with pytest.raises(UnauthenticatedError):
                verify(f"{part({'alg': algorithm, 'kid': 'lab'})}.{part(self.claims())}.{signature}")

    def test_the_public_key_as_a_shared_secret(self, issuer: Issuer, verify: Verify) -> None:
        for secret in (issuer.public_pem().encode(), json.dumps(issuer.jwks()["keys"][0]).encode()):
            signed = f"{part({'alg': 'HS256', 'kid': 'lab'})}.{part(self.claims())}"
            digest = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
            with pytest.raises(UnauthenticatedError):
                verify(f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}")

    def test_a_key_that_the_token_brings_along(self, verify: Verify) -> None:
        mallory = Issuer(key_id="mine")
        text = mallory.token(aud=AUDIENCE, scope="sitecap.read")
        _, claims, signature = text.split(".")
        header = part({"alg": "ES256", "kid": "mine", "jwk": mallory.jwks()["keys"][0]})
        with pytest.raises(UnauthenticatedError):
            verify(f"{header}.{claims}.{signature}")

    def test_a_changed_claim(self, issuer: Issuer, verify: Verify) -> None:
        header, _, signature = issuer.token(aud=AUDIENCE, scope="sitecap.read").split(".")
        with pytest.raises(UnauthenticatedError):
            verify(f"{header}.{part(self.claims())}.{signature}")

    @pytest.mark.parametrize(
        "text",
        [
            "..",
            "a.b.c",
            f"{part([])}.{part({})}.",
            f"{part({'alg': 'ES256'})}.{part([])}.AA",
            f"{part({'alg': 'ES256', 'kid': 7})}.{part({'iss': 'https://issuer.lab'})}.AA",
            f"{part({})}.{part({'iss': 'https://issuer.lab'})}.AA",
            base64.urlsafe_b64encode(b"[" * 5000).decode() + ".AA.AA",
            part({"alg": "ES256"}) + "." + base64.urlsafe_b64encode(b"[" * 5000).decode().rstrip("=") + ".AA",
        ],
    )
    def test_what_is_no_token(self, verify: Verify, text: str) -> None:
        with pytest.raises(UnauthenticatedError):
            verify(text)


class TestConfiguration:
    @pytest.mark.parametrize(
        "grant",
        [
            {"scope": "x", "role": "submit"},
            {"scope": "x", "role": "admin", "sites": [SITE]},
            {"scope": "x:{site}", "role": "admin", "sites": "*"},
            {"scope": "{site}{site}", "role": "submit"},
            {"scope": "x", "role": "root"},
            {"scope": "x", "role": "submit", "sites": ["no site"]},
        ],
    )
    def test_a_grant_that_makes_no_sense_is_refused_at_the_start(self, grant: dict[str, Any]) -> None:
        with pytest.raises(ConfigError, match=r"auth\.issuers\.0\.grants\.0"):
            settings(issuer={"grants": [grant]})

    @pytest.mark.parametrize(
        "issuer", [{"issuer": "http://issuer.lab"}, {"audience": []}, {"algorithms": ["HS256"]}]
    )
    def test_so_is_an_issuer(self, issuer: dict[str, Any]) -> None:
        with pytest.raises(ConfigError, match=r"auth\.issuers\.0"):
            settings(issuer=issuer)
