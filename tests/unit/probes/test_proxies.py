"""A node's proxies: the grammar of CVMFS_HTTP_PROXY, CVMFS's configuration files, SITECONF and WPAD."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.answers import Json
from probes.cvmfs_config import Options, parse, read_options
from probes.host import Host
from probes.live import LiveDoor
from probes.proxies import DIRECT, ProxyChoice, discover, normal, parse_groups, place, proxy_groups, shown
from probes.settings import Settings
from probes.wpad import proxies_in
from tests.unit.probes.network_servers import serving

SQUIDS = "http://squid1.example.org:3128|http://squid2.example.org:3128"

WPAD = """\
function FindProxyForURL(url, host) {
    // return "PROXY commented.example.org:3128";
    /* return "PROXY hidden.example.org:3128"; */
    if (isInNet(myIpAddress(), "10.0.0.0", "255.0.0.0")) {
        return "PROXY http://squid1.example.org:3128; PROXY squid2.example.org:3128; DIRECT";
    }
    return 'PROXY http://backup.example.org:3126';
}
"""


class Elsewhere(LiveDoor):
    """This machine, with the files below /etc/cvmfs of a test."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self._directory = str(directory)

    def ask(self, kind: str, args: list[Json]) -> Any:
        if args and isinstance(args[0], str) and args[0].startswith("/etc/cvmfs"):
            args = [self._directory + args[0].removeprefix("/etc/cvmfs"), *args[1:]]
        return super().ask(kind, args)


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    for name in ("default.d", "domain.d", "config.d"):
        (tmp_path / "etc" / name).mkdir(parents=True)
    return tmp_path / "etc"


def chosen(etc: Path, **more: Any) -> ProxyChoice:
    merged: dict[str, Any] = {"siteconf": {"path": str(etc / "no-siteconf")}, **more}
    return proxy_groups(Host(Elsewhere(etc)), Settings.model_validate(merged))


def options_of(text: str) -> Options:
    found = Options()
    parse(text, "/etc/cvmfs/default.local", found)
    return found


# -- the grammar -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("DIRECT", (("DIRECT",),)),
        ("direct", (("DIRECT",),)),
        (f"{SQUIDS};DIRECT", ((*SQUIDS.split("|"),), ("DIRECT",))),
        ("a.example.org:8080", (("http://a.example.org:8080",),)),
        ("http://a", (("http://a:3128",),)),
        (" http://a:1 | http://a:1/ ;; b:2 ", (("http://a:1",), ("http://b:2",))),
        ("auto;DIRECT", (("auto",), ("DIRECT",))),
        ("http://[2001:db8::1]:3128", (("http://[2001:db8::1]:3128",),)),
        ("", ()),
    ],
)
def test_groups_are_those_of_the_text(text: str, groups: tuple[tuple[str, ...], ...]) -> None:
    assert parse_groups(text) == (groups, ())


@pytest.mark.parametrize(
    "text",
    ["ftp://a:1", "http://a:0", "http://a:65536", "http://a b:1", "http://a:1/path", "http://-a:1", "\x00"],
)
def test_what_is_no_proxy_is_named_and_left_out(text: str) -> None:
    groups, (problem,) = parse_groups(f"{text}|http://good:1")
    assert groups == (("http://good:1",),)
    assert "is not a proxy: write http://host:port" in problem


def test_a_password_in_a_proxy_is_not_repeated() -> None:
    groups, (problem,) = parse_groups("http://user:hunter2@squid:3128")
    assert groups == ()
    assert "hunter2" not in problem


def test_more_proxies_than_a_client_takes_are_cut() -> None:
    groups, problems = parse_groups(";".join(f"http://p{number}:1" for number in range(100)))
    assert len(groups) == 24
    assert problems == ("only the first 24 proxies are used",)


@given(st.text(max_size=200))
def test_any_text_gives_proxies_or_problems(text: str) -> None:
    groups, _ = parse_groups(text)
    for member in (member for group in groups for member in group):
        assert member in ("DIRECT", "auto") or normal(member) == member


@pytest.mark.parametrize(
    ("proxy", "name"),
    [
        (DIRECT, "direct"),
        ("http://squid.example.org:3128", "squid.example.org:3128"),
        ("http://192.0.2.7:3128", "(address):3128"),
        ("http://[2001:db8::1]:3128", "(address):3128"),
    ],
)
def test_an_address_is_not_shown(proxy: str, name: str) -> None:
    assert shown(proxy) == name


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://a.example.org:8000/cvmfs", "a.example.org:8000"),
        ("https://a.example.org/x", "a.example.org:443"),
        ("http://192.0.2.7/x", "(address):80"),
        ("http://[::1", "none"),
        ("http://a:port", "none"),
        ("", "none"),
    ],
)
def test_a_server_is_shown_by_name_and_port(url: str, name: str) -> None:
    assert place(url) == name


# -- CVMFS's configuration --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (f'CVMFS_HTTP_PROXY="{SQUIDS};DIRECT"', f"{SQUIDS};DIRECT"),
        (f"CVMFS_HTTP_PROXY='{SQUIDS}'   # both", SQUIDS),
        ("CVMFS_HTTP_PROXY=DIRECT", "DIRECT"),
        ("  export CVMFS_HTTP_PROXY=DIRECT ; echo", "DIRECT"),
        ("readonly export CVMFS_HTTP_PROXY=DIRECT", "DIRECT"),
        ("CVMFS_HTTP_PROXY=http://a:1|http://b:1", "http://a:1"),
        ("A=squid\nCVMFS_HTTP_PROXY=http://$A.example.org:3128", "http://squid.example.org:3128"),
        ('A=squid\nCVMFS_HTTP_PROXY="http://${A}1:${PORT:-3128}"', "http://squid1:3128"),
        ("A=squid\nCVMFS_HTTP_PROXY='http://$A:1'", "http://$A:1"),
        ("CVMFS_HTTP_PROXY=http://a:1\\\n23", "http://a:123"),
        ("CVMFS_HTTP_PROXY=\"http://a:1;\"'DIRECT'", "http://a:1;DIRECT"),
        ("CVMFS_HTTP_PROXY=DIRECT\nif true; then\nCVMFS_HTTP_PROXY=http://a:1\nfi", "DIRECT"),
        ('if [ "$X" = "" ]; then\n  CVMFS_HTTP_PROXY=http://a:1\nfi', "http://a:1"),
        ("if true; then Y=1; fi\nCVMFS_HTTP_PROXY=DIRECT\nCVMFS_HTTP_PROXY=http://a:1", "http://a:1"),
        ("#CVMFS_HTTP_PROXY=http://a:1\nCVMFS_HTTP_PROXY=DIRECT", "DIRECT"),
    ],
)
def test_an_assignment_is_read_as_a_shell_would(line: str, value: str) -> None:
    found = options_of(line)
    assert found.values["CVMFS_HTTP_PROXY"] == value
    assert found.problems == []


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("CVMFS_HTTP_PROXY=$(touch {path})", "runs a command"),
        ("CVMFS_HTTP_PROXY=`touch {path}`", "runs a command"),
        ('CVMFS_HTTP_PROXY="$(touch {path})"', "runs a command"),
        ('CVMFS_HTTP_PROXY="http://a:1', "a quote is not closed"),
        ("CVMFS_HTTP_PROXY=${{A%x}}", "an expansion other than"),
        ("CVMFS_HTTP_PROXY=" + "a" * 9000, "longer than"),
    ],
)
def test_nothing_is_executed_and_what_needs_it_is_not_known(line: str, why: str, tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    found = options_of("CVMFS_HTTP_PROXY=http://before:1\n" + line.format(path=touched))
    assert "CVMFS_HTTP_PROXY" not in found.values
    assert why in found.problems[0]
    assert found.problems[0].startswith("/etc/cvmfs/default.local, line 2: CVMFS_HTTP_PROXY")
    assert not touched.exists()


def test_an_expansion_does_not_explode() -> None:
    doubling = "A=aaaaaaaaaaaaaaaa\n" + "A=$A$A\n" * 64
    found = options_of(doubling)
    assert len(found.values.get("A", "")) <= 8192


def test_a_backslash_at_the_end_of_a_file_stands_for_itself() -> None:
    assert options_of("A=b\\").values["A"] == "b\\"


@given(st.text(alphabet=st.sampled_from("AB=\"'$\\`(){};|# \nif"), max_size=200))
def test_any_configuration_is_parsed(text: str) -> None:
    options_of(text)


def test_files_are_read_in_the_order_of_the_client(etc: Path) -> None:
    later = [
        "default.conf",
        "default.d/10-a.conf",
        "default.d/20-b.conf",
        "default.local",
        "domain.d/cern.ch.conf",
        "domain.d/cern.ch.local",
        "config.d/cms.cern.ch.conf",
        "config.d/cms.cern.ch.local",
    ]
    for number, name in enumerate(later):
        names = "".join(f"V{place}={number}\n" for place in range(number, len(later)))
        (etc / name).write_text(names)
    (etc / "default.d" / "30-not.disabled").write_text("V7=99\n")
    (etc / "config.d" / "atlas.cern.ch.local").write_text("V7=99\n")
    found = read_options(Host(Elsewhere(etc)), "cms.cern.ch")
    assert found.values == {f"V{number}": str(number) for number in range(len(later))}
    assert found.sources["V3"] == "/etc/cvmfs/default.local"


def test_a_file_that_is_too_large_is_a_problem_and_not_read(etc: Path) -> None:
    (etc / "default.conf").write_text("# x\n" * 100_000)
    (etc / "default.local").write_text("CVMFS_HTTP_PROXY=DIRECT\n")
    found = read_options(Host(Elsewhere(etc)), "cms.cern.ch")
    assert found.values == {"CVMFS_HTTP_PROXY": "DIRECT"}
    assert "larger than" in found.problems[0]


# -- which proxies ----------------------------------------------------------------------------------------------


def test_the_setting_is_before_everything(etc: Path) -> None:
    (etc / "default.local").write_text("CVMFS_HTTP_PROXY=http://node:3128\n")
    found = chosen(etc, cvmfs={"proxies": "http://mine:3128;DIRECT"})
    assert found.groups == (("http://mine:3128",), ("DIRECT",))
    assert (found.routes, found.proxies) == (("http://mine:3128", "DIRECT"), ("http://mine:3128",))
    assert found.origin == "cvmfs.proxies"


def test_then_the_configuration_of_the_client_with_its_fallback(etc: Path) -> None:
    text = f'CVMFS_HTTP_PROXY="{SQUIDS}"\nCVMFS_FALLBACK_PROXY="http://backup.example.org:3126"\n'
    (etc / "default.local").write_text(text)
    found = chosen(etc)
    assert found.groups == ((*SQUIDS.split("|"),), ("http://backup.example.org:3126",))
    assert found.backups == ("http://backup.example.org:3126",)
    assert found.origin == "CVMFS_HTTP_PROXY in /etc/cvmfs/default.local"


def siteconf(etc: Path, connect: str) -> str:
    path = etc.parent / "siteconf" / "JobConfig" / "site-local-config.xml"
    path.parent.mkdir(parents=True)
    path.write_text(
        '<site-local-config><site name="T2_XX_Lab"><calib-data><frontier-connect>'
        f"{connect}</frontier-connect></calib-data></site></site-local-config>"
    )
    return str(etc.parent / "siteconf")


@pytest.mark.parametrize(
    ("balance", "groups"),
    [
        ("", (("http://a:3128",), ("http://b:3128",), ("http://c:3128",))),
        ('<load balance="proxies"/>', (("http://a:3128", "http://b:3128"), ("http://c:3128",))),
    ],
)
def test_then_those_of_siteconf(etc: Path, balance: str, groups: tuple[tuple[str, ...], ...]) -> None:
    connect = (
        f'{balance}<proxy url="http://a:3128"/><proxy url="http://b:3128"/><backupproxy url="http://c:3128"/>'
        '<server url="http://f:8000/FrontierProd"/>'
    )
    found = chosen(etc, siteconf={"path": siteconf(etc, connect)})
    assert found.groups == groups
    assert found.backups == ("http://c:3128",)
    assert found.origin == "frontier-connect in SITECONF"


def test_then_directly(etc: Path) -> None:
    found = chosen(etc)
    assert found.groups == (("DIRECT",),)
    assert found.origin == "neither CVMFS's configuration nor SITECONF names a proxy; so directly"


# -- WPAD -------------------------------------------------------------------------------------------------------


def test_proxies_are_collected_from_the_text_of_a_wpad_dat() -> None:
    assert proxies_in(WPAD) == (
        "http://squid1.example.org:3128",
        "squid2.example.org:3128",
        "DIRECT",
        "http://backup.example.org:3126",
    )


@given(st.text(alphabet=st.sampled_from("\"'/*\\\n;PROXYDIRECT a:1"), max_size=300))
def test_any_text_is_a_wpad_dat(text: str) -> None:
    assert all(proxies_in(text))


def test_a_hostile_wpad_dat_is_bounded() -> None:
    assert len(proxies_in('"' + ";".join(f"PROXY p{number}:1" for number in range(2000)) + '"')) == 24
    for text in (
        "/*" * 40_000,
        "/* " * 40_000,
        '"' + "\\" * 65_000,
        '"' + '\\"' * 40_000,
        "'" * 80_000,
        '"a' * 40_000,
    ):
        assert proxies_in(text) == ()


def test_auto_takes_the_first_wpad_dat_that_answers(etc: Path) -> None:
    kind = "application/x-ns-proxy-autoconfig"
    with serving(body=WPAD.encode(), content_type=kind) as good, serving(status=404) as bad:
        urls = f"http://127.0.0.1:{bad.port}/wpad.dat;http://127.0.0.1:{good.port}/wpad.dat"
        (etc / "default.local").write_text(
            f'CVMFS_HTTP_PROXY="auto;http://last:3128"\nCVMFS_PAC_URLS="{urls}"\n'
        )
        found = chosen(etc)
    assert found.groups == (
        ("http://squid1.example.org:3128",),
        ("http://squid2.example.org:3128",),
        ("DIRECT",),
        ("http://backup.example.org:3126",),
        ("http://last:3128",),
    )
    assert [problem.partition("dat: ")[2] for problem in found.problems] == ["status 404"]


def test_auto_without_any_answer_goes_directly_and_says_why(etc: Path) -> None:
    with serving(body=b"<html>Please log in</html>", content_type="text/html") as portal:
        url = f"http://127.0.0.1:{portal.port}/wpad.dat"
        found = chosen(etc, cvmfs={"proxies": "auto"}, squid={"wpad_urls": [url]})
    assert found.groups == (("DIRECT",),)
    assert "not a wpad.dat (no FindProxyForURL in it)" in found.problems[0]
    assert "127.0.0.1" not in found.problems[0]


def test_a_single_machine_asks_wpad(etc: Path) -> None:
    (etc / "default.local").write_text("CVMFS_CLIENT_PROFILE=single\n")
    with serving(body=WPAD.encode()) as server:
        found = chosen(etc, squid={"wpad_urls": [f"http://127.0.0.1:{server.port}/wpad.dat"]})
    assert found.groups[0] == ("http://squid1.example.org:3128",)
    assert found.groups[-1] == ("DIRECT",)


def test_a_url_that_is_none_is_a_problem() -> None:
    found, problems = discover(Host(LiveDoor()), ["file:///etc/passwd"])
    assert found == ()
    assert "not an http or https URL" in problems[0]


def test_siteconf_may_name_a_wpad_dat(etc: Path) -> None:
    with serving(body=WPAD.encode()) as server:
        connect = (
            f'<proxyconfig url="http://127.0.0.1:{server.port}/wpad.dat"/><backupproxy url="http://c:3128"/>'
        )
        found = chosen(etc, siteconf={"path": siteconf(etc, connect)})
    assert found.groups[0] == ("http://squid1.example.org:3128",)
    assert found.groups[-1] == found.backups == ("http://c:3128",)
