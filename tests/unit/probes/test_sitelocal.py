"""SITECONF as hostile input: XML, JSON, rules, chains, sub-sites and other sites."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from probes.host import Host
from probes.live import LiveDoor
from probes.settings import Settings
from probes.sitelocal import DataAccess, Frontier, Problem, Site, config_xml, read_site, storage
from probes.sitelocal.read import CONFIG
from tests.unit.probes.siteconf_tree import CATALOG, SITE, config, protocol, read, rules, volume, write

LFN = "/store/mc/Run3/file.root"


def texts(site: Site) -> str:
    return " | ".join(str(problem) for problem in site.problems)


def kinds(site: Site) -> list[str]:
    return [problem.kind for problem in site.problems]


def urls(site: Site, lfn: str = LFN) -> list[str]:
    return [pfn.url for pfn in site.pfns(lfn)]


def reason(site: Site, lfn: str = LFN) -> Problem:
    (one,) = site.resolve(lfn)
    assert one.problem is not None
    return one.problem


# -- a good site -----------------------------------------------------------------------------------------------


def test_a_good_site_is_read_whole(tmp_path: Path) -> None:
    site = read(write(tmp_path))
    assert site.problems == ()
    assert (site.name, site.subsite, site.directory) == (SITE, None, str(tmp_path))
    assert site.data_access == (DataAccess(site=SITE, volume="Disk", protocol="XRootD"),)
    assert site.frontier == Frontier(
        proxies=("http://squid.example:3128",),
        backup_proxies=("http://backup.example:3128",),
        proxyconfigs=("http://wpad.example/wpad.dat",),
        servers=("http://frontier.example:8000/FrontierInt",),
        balance_proxies=True,
    )
    assert urls(site) == [f"root://door.example:1094/{LFN}"]


def test_the_variable_comes_after_the_setting_and_before_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "variable", config(name='name="T2_XX_Variable"'))
    write(tmp_path / "mount/cms.cern.ch/SITECONF/local", config(name='name="T2_XX_Mount"'))
    chosen = Settings.model_validate({"cvmfs": {"mount_path": str(tmp_path / "mount")}})
    host = Host(LiveDoor())
    monkeypatch.delenv("SITECONFIG_PATH", raising=False)
    assert read_site(host, chosen).name == "T2_XX_Mount"
    monkeypatch.setenv("SITECONFIG_PATH", str(tmp_path / "variable"))
    assert read_site(host, chosen).name == "T2_XX_Variable"
    named = chosen.model_copy(
        update={
            "siteconf": Settings.model_validate(
                {"siteconf": {"path": str(write(tmp_path / "setting"))}}
            ).siteconf
        }
    )
    assert read_site(host, named).name == SITE


def test_the_old_form_without_storage_is_enough_for_the_config(tmp_path: Path) -> None:
    event_data = (
        '<event-data><catalog url="trivialcatalog_file:/etc/storage.xml?protocol=xrootd"/></event-data>'
    )
    site = read(write(tmp_path, config("", more=event_data)))
    assert site.config is not None
    assert site.config.event_data == ("trivialcatalog_file:/etc/storage.xml?protocol=xrootd",)
    assert site.problems == ()


# -- prefix, rules, chains -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lfn_pattern", "pfn", "wanted"),
    [
        ("/+store/(.*)", "root://d.example//cms/$1", "root://d.example//cms/mc/Run3/file.root"),
        ("/store/([^/]*)/(.*)", "/$2/of/$1", "/Run3/file.root/of/mc"),
        ("/store/(mc|data)/.*", "$1-$2-$0", "mc-$2-$0"),
    ],
)
def test_a_rule_expands_its_groups(tmp_path: Path, lfn_pattern: str, pfn: str, wanted: str) -> None:
    ruled = protocol(prefix=None, rules=rules(("/nothing/.*", "wrong"), (lfn_pattern, pfn), (".*", "late")))
    assert urls(read(write(tmp_path, storage=[volume(ruled)]))) == [wanted]


def test_a_rule_must_match_the_whole_name(tmp_path: Path) -> None:
    ruled = protocol(prefix=None, rules=rules(("/store", "wrong"), ("mc/.*", "wrong")))
    found = reason(read(write(tmp_path, storage=[volume(ruled)])))
    assert (found.kind, found.text) == ("unresolved", "no rule of XRootD matches the file name")


def test_a_chain_is_applied_before_the_rule(tmp_path: Path) -> None:
    chained = protocol(prefix=None, rules=rules(("/+(.*)", "root://door.example//$1", "posix")))
    posix = protocol("posix", None, rules=rules(("/+store/(.*)", "/pnfs/cms/$1")))
    site = read(write(tmp_path, storage=[volume(chained, posix)]))
    assert urls(site) == ["root://door.example//pnfs/cms/mc/Run3/file.root"]


@pytest.mark.parametrize(
    ("protocols", "said"),
    [
        ([protocol(prefix=None, rules=rules((".*", "$0", "XRootD")))], "XRootD → XRootD is a loop"),
        (
            [
                protocol(prefix=None, rules=rules((".*", "$0", "other"))),
                protocol("other", None, rules=rules((".*", "$0", "XRootD"))),
            ],
            "XRootD → other → XRootD is a loop",
        ),
        ([protocol(prefix=None, rules=rules((".*", "$0", "gone")))], "chained to gone"),
        (
            [
                protocol(prefix=None, rules=rules(("/store/.*", "x", "moved"))),
                protocol("moved", None, rules=rules(("(.*)", "moved$1"))),
            ],
            "does not match what its chain moved gives",
        ),
        ([protocol(prefix=None, rules=rules((r"(a)\1", "x")))], "not supported"),
        ([protocol(prefix=None, rules=rules(("(.*", "x")))], "not closed"),
        ([protocol(prefix=None, rules=rules(("/store(.*)", "$1" * 500)))], None),
    ],
)
def test_a_chain_or_rule_that_leads_nowhere_says_so(
    tmp_path: Path, protocols: list[dict[str, Any]], said: str | None
) -> None:
    site = read(write(tmp_path, storage=[volume(*protocols)]))
    if said is None:
        assert "is not a name" in reason(site, f"/store/{'x' * 200}").text
    else:
        assert said in reason(site).text


def test_a_long_chain_is_cut(tmp_path: Path) -> None:
    many = [protocol(f"p{n}", None, rules=rules((".*", "x", f"p{n + 1}"))) for n in range(30)]
    site = read(write(tmp_path, config('<catalog volume="Disk" protocol="p0"/>'), [volume(*many)]))
    assert "chained" in reason(site).text


def test_a_pattern_that_would_hang_a_backtracking_matcher_does_not(tmp_path: Path) -> None:
    ruled = protocol(prefix=None, rules=rules(*[("/store/(x+x+)+y", "no")] * 40, ("(.*)", "file:$1")))
    site = read(write(tmp_path, storage=[volume(ruled)]))
    assert urls(site, f"/store/{'x' * 60}") == [f"file:/store/{'x' * 60}"]
    heavy = protocol(prefix=None, rules=rules(*[("(.{0,250}){0,7}y", "no")] * 100))
    assert (
        "more than a job would wait for"
        in reason(read(write(tmp_path, storage=[volume(heavy)])), "/store/" + "x" * 900).text
    )


# -- which storage.json ----------------------------------------------------------------------------------------


def test_a_subsite_looks_in_its_parent(tmp_path: Path) -> None:
    write(tmp_path / SITE)
    inner = write(tmp_path / SITE / "Inner", config(more='<subsite name="T2_XX_Test_Inner"/>'), "")
    site = read(inner)
    assert (site.subsite, site.problems) == ("T2_XX_Test_Inner", ())
    assert urls(site) == [f"root://door.example:1094/{LFN}"]


@pytest.mark.parametrize("of_subsite", [False, True])
def test_another_sites_federation_is_read_from_its_directory(tmp_path: Path, of_subsite: bool) -> None:
    other = '<catalog site="T1_US_Other" volume="Federation" protocol="XRootD"/>'
    write(
        tmp_path / "T1_US_Other",
        b"",
        [volume(protocol(prefix="root://redirector.example/"), site="T1_US_Other", name="Federation")],
    )
    here = write(tmp_path / SITE, config(CATALOG + other))
    if of_subsite:
        here = write(tmp_path / SITE / "Inner", config(CATALOG + other, more='<subsite name="Inner"/>'), "")
    site = read(here)
    assert site.problems == ()
    assert urls(site)[1] == f"root://redirector.example/{LFN}"


def test_a_linked_local_directory_has_the_siblings_of_its_target(tmp_path: Path) -> None:
    other = '<catalog site="T1_US_Other" volume="Federation" protocol="XRootD"/>'
    write(tmp_path / "SITECONF/T1_US_Other", b"", [volume(site="T1_US_Other", name="Federation")])
    write(tmp_path / f"SITECONF/{SITE}", config(other))
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/local").symlink_to(tmp_path / "SITECONF" / SITE)
    assert len(urls(read(tmp_path / "etc/local"))) == 1


@pytest.mark.parametrize("name", ["../../etc", "/etc", ".", "..", "a b", "x" * 65])
def test_a_site_name_that_leads_elsewhere_is_not_followed(tmp_path: Path, name: str) -> None:
    (tmp_path / "a b").mkdir()
    site = read(write(tmp_path / SITE, config(f'<catalog site="{name}" volume="Disk" protocol="XRootD"/>')))
    assert "is not the name of a site" in texts(site)
    assert urls(site) == []


def test_webdav_is_found_although_no_job_uses_it(tmp_path: Path) -> None:
    davs = protocol("WebDAV", "davs://door.example:2880/cms")
    foreign = volume(protocol("WebDAV", "davs://elsewhere.example/"), site="T2_XX_Foreign")
    site = read(write(tmp_path, storage=[volume(protocol(), davs), foreign]))
    assert [pfn.url for pfn in site.pfns_of(("webdav", "davs"), LFN)] == [
        f"davs://door.example:2880/cms{LFN}"
    ]


# -- what is missing or malformed ------------------------------------------------------------------------------


def test_no_directory_is_one_problem(tmp_path: Path) -> None:
    site = read(tmp_path / "nowhere")
    assert (site.directory, kinds(site), site.pfns(LFN)) == (None, ["missing"], ())


def test_a_directory_without_files_misses_both(tmp_path: Path) -> None:
    site = read(write(tmp_path, b"", ""))
    assert site.directory == str(tmp_path)
    assert kinds(site) == ["missing", "missing"]


@pytest.mark.parametrize(
    ("xml", "kind", "said"),
    [
        ("<site-local-config><site", "unparsable", "not XML"),
        ("", "missing", "no such file"),
        ("<other/>", "unparsable", "<other>"),
        ("<site-local-config/>", "unparsable", "no <site>"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><site-local-config/>', "refused", "document type"),
        ('<!DOCTYPE x SYSTEM "http://evil.example/x.dtd"><site-local-config/>', "refused", "document type"),
        ('<?xml version="1.0" encoding="klingon"?><a/>', "unparsable", "not XML"),
        ("\ufeff\x00", "unparsable", "not XML"),
        (f"<site-local-config>{' ' * config_xml.MAX_BYTES}", "refused", "larger than"),
    ],
)
def test_hostile_xml_is_one_sentence(tmp_path: Path, xml: str, kind: str, said: str) -> None:
    site = read(write(tmp_path, xml.encode()))
    assert site.config is None
    assert (site.problems[0].kind, said in site.problems[0].text) == (kind, True), texts(site)
    assert site.problems[0].where == str(tmp_path / CONFIG)


def test_billions_of_laughs_stay_unread(tmp_path: Path) -> None:
    levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    xml = (
        f'<!DOCTYPE l [<!ENTITY l0 "ha">{levels}]><site-local-config><site name="&l11;"/></site-local-config>'
    )
    assert kinds(read(write(tmp_path, xml)))[0] == "refused"


def test_a_deep_tree_is_read_or_refused_but_does_not_end_the_process(tmp_path: Path) -> None:
    depth = config_xml.MAX_BYTES // 8
    site = read(write(tmp_path, f"<site-local-config>{'<a>' * depth}{'</a>' * depth}</site-local-config>"))
    assert "no <site>" in texts(site)
    nested = read(write(tmp_path, storage=b"[" * 200_000))
    assert "nested too deeply" in texts(nested)


@pytest.mark.parametrize(
    ("xml", "said"),
    [
        (config(""), "neither <data-access> nor <event-data>"),
        (config(stage_out=""), "no <stage-out>"),
        (config(calib=""), "no <calib-data>"),
        (config(calib="<calib-data><frontier-connect/></calib-data>"), "no <server>"),
        (
            config(calib="<calib-data><frontier-connect><server/></frontier-connect></calib-data>"),
            "has no url",
        ),
        (config(name=""), "<site> has no name"),
        (config("<catalog/>"), "lacks site, volume or protocol"),
        (config(CATALOG * 33), "of which 32 are read"),
        (config(more="<subsite><x/></subsite>"), "CMSSW refuses"),
    ],
)
def test_each_missing_element_is_named(tmp_path: Path, xml: str, said: str) -> None:
    site = read(write(tmp_path, xml))
    assert site.config is not None
    assert said in texts(site)
    assert "incomplete" in kinds(site)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "not JSON"),
        (b"{}", "must be a list"),
        (b"\xff\xfe[", "not"),
        (b"[" + b"1," * 200 + b"1]", "more than the 128"),
        (b'[{"site": 1}]', "volume 1 is left out"),
        (json.dumps([volume({"protocol": "XRootD"})]).encode(), "neither prefix nor rules"),
        (json.dumps([volume(protocol(rules="x"))]).encode(), "rules"),
        (b'["\\ud800"]', "volume 1 is left out"),
        (b" " * (storage.MAX_BYTES + 1), "larger than"),
    ],
)
def test_hostile_storage_is_one_sentence(tmp_path: Path, content: bytes, said: str) -> None:
    site = read(write(tmp_path, storage=content))
    assert said in texts(site)
    assert urls(site) == []


def test_a_bad_volume_costs_only_itself(tmp_path: Path) -> None:
    site = read(write(tmp_path, storage=[{"site": SITE, "volume": "Broken", "protocols": None}, volume()]))
    assert "volume 1 ('Broken') is left out" in texts(site)
    assert len(urls(site)) == 1


ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([SITE, "Disk", "XRootD"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["site", "volume", "protocols", "protocol", "prefix", "rules", "lfn", "pfn", "chain"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=25,
)


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(document=ANY_JSON, xml=st.binary(max_size=200))
def test_any_files_give_a_site_and_never_an_error(tmp_path: Path, document: Any, xml: bytes) -> None:
    for part in (xml, None):
        site = read(write(tmp_path, part or None, json.dumps(document).encode()))
        assert all(problem.text.encode() for problem in site.problems)  # surrogates would break the report
        for one in site.resolve(LFN):
            assert (one.pfn is None) != (one.problem is None)


@given(st.binary(max_size=60), st.integers(0, 200), st.integers(0, 200))
def test_a_damaged_config_is_read_or_refused(noise: bytes, begin: int, length: int) -> None:
    good = config().encode()
    refusal = ""
    try:
        config_xml.parse(good[:begin] + noise + good[begin + length :])
    except ValueError as error:
        refusal = str(error)
    assert "\n" not in refusal
