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

from capacity.config import ConfigError, load
from capacity.errors import RefusedError, UnavailableError
from capacity.service.credentials import UnauthenticatedError
from capacity.service.issuer_keys import FetchError, IssuerKeys
from capacity.service.principal import Principal, Role
from capacity.service.signed_tokens import SignedTokens
from capacity.settings import AuthSettings
from tests.lab.tokens import ANY_AUDIENCE, Issuer
from tests.unit.capacity.documents import OTHER_SITE, SITE

AUDIENCE = "https://capacity.example"
GRANTS = [
    {"scope": "sitecap.submit:/{site}", "role": "submit"},
    {"scope": "sitecap.read", "role": "read"},
    {"scope": "sitecap.admin", "role": "admin", "sites": "*", "group": "/cms/capacity"},
    {"scope": "storage.read:/", "subject": "robot", "role": "submit", "sites": [SITE]},
]


class Net:
    """Documents at addresses; counts who asked for what."""

    def __init__(self, issuer: Issuer) -> None:
        self.issuer = issuer
        self.asked: list[str] = []
        self.down = False
        self.document: dict[str, Any] | None = None

    def __call__(self, url: str, timeout_s: float, ca_file: str | None) -> Any:
        self.asked.append(url)
        if self.down:
            raise FetchError("no route to host")
        if url == f"{self.issuer.url}/.well-known/openid-configuration":
            return self.document or {"issuer": self.issuer.url, "jwks_uri": f"{self.issuer.url}/jwks"}
        assert url == f"{self.issuer.url}/jwks"
        return self.issuer.jwks()


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def net(issuer: Issuer) -> Net:
    return Net(issuer)


def settings(**more: Any) -> AuthSettings:
    issuers = [
        {"issuer": "https://issuer.lab", "audience": [AUDIENCE], "grants": GRANTS, **more.pop("issuer", {})}
    ]
    return load({"auth.issuers": issuers, **more}, {}).config.auth


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
