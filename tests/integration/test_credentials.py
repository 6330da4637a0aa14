"""`agent probe credentials` with real proxies of `voms-proxy-fake`, signed tokens and a real directory of authorities."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from profiles.checks import Status
from profiles.facts.credentials import CredentialsFacts
from profiles.profile import CapabilityProfile
from tests.lab import LabUnavailableError, need_commands, skip_or_fail
from tests.lab.authority import Authority, Files
from tests.lab.profiles import check
from tests.lab.tokens import Issuer

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("credentials")]

OK, WARN, CRIT, SKIP = Status.OK, Status.WARNING, Status.CRITICAL, Status.SKIPPED
PRODUCTION = ("/cms/Role=NULL/Capability=NULL", "/cms/Role=production/Capability=NULL")


class Lab(NamedTuple):
    """What signs the credentials of these tests."""

    authority: Authority
    user: Files
    server: Files
    issuer: Issuer


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    try:
        need_commands("openssl", "voms-proxy-fake")
        authority = Authority(tmp_path_factory.mktemp("authority"))
    except LabUnavailableError as reason:
        skip_or_fail(reason)
    return Lab(authority, authority.user(), authority.host(["voms.lab"]), Issuer())


class Probed(NamedTuple):
    """One run of the agent."""

    profile: CapabilityProfile
    facts: CredentialsFacts
    stderr: str


@pytest.fixture
def probe(lab: Lab, tmp_path: Path) -> Callable[..., Probed]:
    """Runs the real command line; `clock` is what faketime understands, e.g. "-10m"."""
    # The agent rates a host it finds credentials on: here it must find these alone.
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    config = tmp_path / "config.toml"
    config.write_text('[siteconf]\npath = "/nowhere"\n[xrootd]\nlocal_urls = ["root://door.example:1094"]\n')

    def run(*args: str, clock: str | None = None, **env: str) -> Probed:
        words = [
            "-m",
            "agent",
            "probe",
            "credentials",
            "--json",
            "--exit-map",
            "always0",
            "--config",
            str(config),
            *args,
        ]
        argv = [sys.executable, *words]
        if clock is not None:
            argv = ["faketime", "-f", clock, *argv]
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("BEARER_", "X509_", "SITECONFIG"))
        }
        own = {
            "XDG_RUNTIME_DIR": str(runtime),
            "X509_CERT_DIR": str(lab.authority.certificates),
            "X509_USER_PROXY": "",
        }
        done = subprocess.run(
            argv, env={**inherited, **own, **env}, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        profile = CapabilityProfile.model_validate_json(done.stdout)
        assert profile.facts.credentials is not None
        return Probed(profile, profile.facts.credentials, done.stdout + done.stderr)

    return run


def seen(found: Probed, check_id: str) -> tuple[Status, str]:
    result = check(found.profile, check_id)
    return result.status, result.summary


# -- X.509 -----------------------------------------------------------------------------------------------------


def test_a_voms_proxy_is_green(lab: Lab, probe: Callable[..., Probed]) -> None:
    path = lab.authority.voms_proxy(lab.user, lab.server, fqans=PRODUCTION, hours=24, attribute_hours=12)
    found = probe(X509_USER_PROXY=str(path))
    assert [seen(found, f"CRD-0{number}")[0] for number in (1, 2, 3, 4, 5)] == [OK, OK, SKIP, SKIP, OK]
    proxy = found.facts.proxy
    assert proxy is not None
    assert (proxy.kind, proxy.key_bits, proxy.key_fits, proxy.certificates) == ("rfc3820", 2048, True, 2)
    (attributes,) = proxy.voms
    assert (attributes.vo, attributes.fqans) == ("cms", PRODUCTION)
    assert (
        11.5 * 3600
        < attributes.expires_in_s
        <= 12 * 3600
        < 23.5 * 3600
        < (proxy.expires_in_s or 0)
        <= 24 * 3600
    )
    assert found.facts.authorities is not None
    assert (found.facts.authorities.certificates, found.facts.authorities.revocation_lists) == (1, 1)


def plain(lab: Lab) -> Path:
    return lab.authority.proxy(lab.user)


def expired(lab: Lab) -> Path:
    return lab.authority.proxy(lab.user, valid_for=timedelta(minutes=-5), file_name="expired.pem")


def short(lab: Lab) -> Path:
    return lab.authority.voms_proxy(lab.user, lab.server, hours=3, file_name="short.pem")


def open_to_all(lab: Lab) -> Path:
    return lab.authority.voms_proxy(lab.user, lab.server, mode=0o644, file_name="open.pem")


def of_another_vo(lab: Lab) -> Path:
    return lab.authority.voms_proxy(
        lab.user, lab.server, voms="atlas", fqans=("/atlas/lcg1",), file_name="atlas.pem"
    )


def of_tomorrow(lab: Lab) -> Path:
    return lab.authority.proxy(lab.user, begins_in=timedelta(minutes=10), file_name="tomorrow.pem")


def delegated(lab: Lab) -> Path:
    of = lab.authority.voms_proxy(lab.user, lab.server, file_name="delegated-of.pem")
    return lab.authority.proxy((of, of), file_name="delegated.pem")


def of_an_old_form(lab: Lab) -> Path:
    return lab.authority.voms_proxy(lab.user, lab.server, form="-proxyver=2", file_name="old.pem")


def of_the_draft(lab: Lab) -> Path:
    return lab.authority.voms_proxy(lab.user, lab.server, form="-proxyver=3", file_name="draft.pem")


def without_key(lab: Lab) -> Path:
    whole = lab.authority.voms_proxy(lab.user, lab.server, file_name="whole.pem").read_text()
    return write(lab, re.sub("-----BEGIN RSA.*?END RSA PRIVATE KEY-----", "", whole, flags=re.DOTALL))


def with_another_key(lab: Lab) -> Path:
    whole = lab.authority.voms_proxy(lab.user, lab.server, file_name="whole.pem").read_text()
    return write(
        lab,
        re.sub(
            "-----BEGIN RSA.*?END RSA PRIVATE KEY-----",
            lab.user[1].read_text().strip(),
            whole,
            flags=re.DOTALL,
        ),
    )


def write(lab: Lab, text: str) -> Path:
    path = lab.authority.directory / "changed.pem"
    path.touch(mode=0o600)
    path.write_text(text)
    return path


def no_proxy(lab: Lab) -> Path:
    return lab.user[0]


def missing(lab: Lab) -> Path:
    return lab.authority.directory / "gone.pem"


@pytest.mark.parametrize(
    ("make", "check_id", "status", "said"),
    [
        (plain, "CRD-01", OK, "2048 bits"),
        (plain, "CRD-02", WARN, "no VOMS attributes"),
        (expired, "CRD-01", CRIT, "proxy expired "),
        (short, "CRD-01", WARN, "h only"),
        (open_to_all, "CRD-01", CRIT, "mode 0644"),
        (of_another_vo, "CRD-02", WARN, "are of atlas, not of cms"),
        (of_tomorrow, "CRD-01", CRIT, "clock is behind"),
        (delegated, "CRD-01", OK, "2048 bits"),
        (delegated, "CRD-02", OK, "/cms/Role=NULL/Capability=NULL for"),
        (of_an_old_form, "CRD-01", CRIT, "before RFC 3820"),
        (of_the_draft, "CRD-01", CRIT, "before RFC 3820"),
        (without_key, "CRD-01", CRIT, "no readable private key"),
        (with_another_key, "CRD-01", CRIT, "another certificate"),
        (no_proxy, "CRD-01", CRIT, "no proxy"),
        (missing, "CRD-01", CRIT, "does not exist"),
    ],
)
def test_each_fault_of_a_proxy(
    lab: Lab,
    probe: Callable[..., Probed],
    make: Callable[[Lab], Path],
    check_id: str,
    status: Status,
    said: str,
) -> None:
    found = seen(probe(X509_USER_PROXY=str(make(lab))), check_id)
    assert (found[0], said in found[1]) == (status, True), found


def test_attributes_that_end_before_their_proxy(lab: Lab, probe: Callable[..., Probed]) -> None:
    need_faketime()
    path = lab.authority.voms_proxy(lab.user, lab.server, attribute_hours=1, file_name="half.pem")
    found = probe(clock="+2h", X509_USER_PROXY=str(path))
    assert seen(found, "CRD-01")[0] is OK
    status, summary = seen(found, "CRD-02")
    assert (status, "attributes expired" in summary, "before the proxy" in summary) == (WARN, True, True), (
        summary
    )


def test_a_lapsed_revocation_list(tmp_path: Path, probe: Callable[..., Probed]) -> None:
    authority = Authority(tmp_path / "lapsed", crl_for=timedelta(days=-1))
    found = seen(probe(X509_CERT_DIR=str(authority.certificates)), "CRD-05")
    assert found == (WARN, "lapsed: 1 of 1 revocation list")


# -- tokens ----------------------------------------------------------------------------------------------------


def need_faketime() -> None:
    try:
        need_commands("faketime")
    except LabUnavailableError as reason:
        skip_or_fail(reason)


@pytest.mark.parametrize(
    ("made", "mode", "check_id", "status", "said"),
    [
        pytest.param({"aud": "https://door.example:1094"}, 0o600, "CRD-03", OK, "token valid", id="good"),
        pytest.param({}, None, "CRD-03", CRIT, "BEARER_TOKEN_FILE names", id="missing"),
        pytest.param({"expires_in_s": -600}, 0o600, "CRD-03", CRIT, "token expired ", id="expired"),
        pytest.param(
            {"aud": "https://elsewhere.example"}, 0o600, "CRD-03", WARN, "wrong audience", id="audience"
        ),
        pytest.param(
            {"scope": "storage.read:/other"}, 0o600, "CRD-03", WARN, "wrong scope", id="path of scope"
        ),
        pytest.param({"scope": "compute.read"}, 0o600, "CRD-03", WARN, "wrong scope", id="scope"),
        pytest.param("not a token", 0o600, "CRD-03", CRIT, "RFC 6750", id="garbage"),
        pytest.param({}, 0o644, "CRD-04", CRIT, "XRootD silently ignores it", id="mode 0644"),
        pytest.param(
            {"valid_in_s": 600, "issued_ago_s": -600},
            0o600,
            "CRD-03",
            CRIT,
            "clock is behind by ",
            id="future",
        ),
    ],
)
def test_each_fault_of_a_token(
    lab: Lab,
    probe: Callable[..., Probed],
    tmp_path: Path,
    made: dict[str, Any] | str,
    mode: int | None,
    check_id: str,
    status: Status,
    said: str,
) -> None:
    path = tmp_path / "token"
    if mode is not None:
        path.write_text(made if isinstance(made, str) else lab.issuer.token(**made))
        path.chmod(mode)
    found = seen(probe(BEARER_TOKEN_FILE=str(path)), check_id)
    assert (found[0], said in found[1]) == (status, True), found


def test_a_clock_ten_minutes_behind_is_blamed_on_the_clock(lab: Lab, probe: Callable[..., Probed]) -> None:
    need_faketime()
    found = probe(clock="-10m", BEARER_TOKEN=lab.issuer.token())
    status, summary = seen(found, "CRD-03")
    assert (status, "this clock is behind" in summary) == (CRIT, True), summary
    assert "CTX-03" in (check(found.profile, "CRD-03").hint or "")


# -- secrets ---------------------------------------------------------------------------------------------------


def test_neither_key_nor_token_nor_name_is_in_profile_output_or_recording(
    lab: Lab, probe: Callable[..., Probed], tmp_path: Path
) -> None:
    path = lab.authority.voms_proxy(lab.user, lab.server, file_name="secret.pem")
    token = lab.issuer.token(claims={"sub": "d00db33f-of-alice"})
    place = tmp_path / "recording"
    found = probe("--record", str(place), "--verbose", X509_USER_PROXY=str(path), BEARER_TOKEN=token)
    # Every question is in the recording, so every command line that was run is, too.
    kept = "".join(one.read_text() for one in sorted(place.rglob("*")) if one.is_file())
    assert '"ask":"token"' in kept
    assert "/cms/Role=NULL" in kept
    told = kept + found.stderr
    pem_lines = [line for line in path.read_text().splitlines() if line and "-----" not in line]
    assert len(pem_lines) > 50
    for secret in (*pem_lines, *token.split("."), "d00db33f", "CN=Alice", "DC=lab", "commonName"):
        assert secret not in told
