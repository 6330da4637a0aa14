"""What a processor is called, which level its flags reach, and which builds of CMSSW it can run."""

from __future__ import annotations

from pathlib import Path

import pytest

from probes import cpu, isa, microarchitecture, processors, scram
from probes.host import Host
from probes.live import LiveDoor
from probes.settings import Settings
from tests.unit.probes.cpu.processor import TARGETS


def test_this_machine_gets_the_name_that_archspec_gives_it() -> None:
    from archspec.cpu import host

    found = cpu.gather(Host(LiveDoor()), Settings())

    assert found.archspec_name == str(host())


@pytest.mark.parametrize("published", sorted(TARGETS.glob("linux-*")), ids=lambda path: path.name)
def test_published_processors_get_archspecs_name(published: Path) -> None:
    expected = published.name.split("-", 2)[2]
    text = published.read_text("utf-8", "replace")
    read = processors.parse(text)
    if "hart" in text or "isa" in {line.split(":")[0].strip() for line in text.splitlines()}:
        pytest.skip("CMSSW has no builds for RISC-V, so there is no rule for it")
    if read.power_generation is not None:
        uname, vendor = ("ppc64le", "IBM")
        expected = expected.removesuffix("le") + "le"
    elif read.arm:
        uname, vendor = "aarch64", microarchitecture.arm_vendor(read.arm[0].implementer)
    else:
        uname, vendor = "x86_64", read.vendor

    match = microarchitecture.match(
        microarchitecture.Processor(
            machine=uname,
            vendor=vendor,
            features=read.flags or frozenset(),
            generation=read.power_generation or 0,
            part=read.arm[0].part if read.arm else None,
        )
    )

    assert match is not None
    assert match.name == expected


def test_one_masked_flag_is_the_reason_why_not_zen4() -> None:
    read = processors.parse((TARGETS / "linux-rocky8.5-zen4").read_text())
    assert read.flags is not None
    masked = read.flags - {"avx512_bf16"}

    match = microarchitecture.match(
        microarchitecture.Processor(machine="x86_64", vendor=read.vendor, features=masked)
    )

    assert match is not None
    assert match.name == "x86_64_v4"
    assert ("zen4", ("avx512_bf16",)) in match.next_targets


@pytest.mark.parametrize("level", [1, 2, 3, 4])
def test_each_flag_of_the_table_is_needed_for_its_level(level: int) -> None:
    whole = {flag for upto in range(1, level + 1) for flag in isa.LEVELS[upto]}
    assert isa.level_of(whole) == level

    for flag in isa.LEVELS[level]:
        assert isa.level_of(whole - {flag}) == level - 1
        assert isa.missing_of(whole - {flag})[level] == (flag,)


@pytest.mark.parametrize("level", [2, 3, 4])
def test_the_table_agrees_with_archspecs(level: int) -> None:
    from archspec.cpu import TARGETS as ARCHSPEC

    theirs = {"pni" if name == "sse3" else name for name in ARCHSPEC[f"x86_64_v{level}"].features}
    ours = {flag for upto in range(1, level + 1) for flag in isa.LEVELS[upto]}

    assert theirs - ours == set()
    assert ours - theirs <= set(isa.LEVELS[1])  # archspec leaves the oldest ones out


def test_flags_that_one_processor_lacks_are_not_promised() -> None:
    read = processors.parse("processor: 0\nflags: sse sse2 avx2\n\nprocessor: 1\nflags: sse sse2\n")

    assert read.flags == {"sse", "sse2"}


def test_builds_need_the_level_of_their_os_and_a_c_library_at_least_as_new() -> None:
    old = scram.runnable("x86_64", 1)
    assert "el8_amd64_gcc12" in old
    assert not [build for build in old if build.startswith(("el9", "el10"))]
    assert "el9_amd64_gcc13" in scram.runnable("x86_64", 2)
    assert "el10_amd64_gcc14" not in scram.runnable("x86_64", 2)
    assert "el10_amd64_gcc14" in scram.runnable("x86_64", 3)
    assert {build.split("_")[0] for build in scram.runnable("x86_64", 3, (2, 28))} == {"slc7", "el8"}
    assert scram.runnable("riscv64", None) == ()
    assert scram.runnable("x86_64", None) == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("glibc 2.34", (2, 34)),
        ("glibc 2.17.1", (2, 17)),
        ("musl 1.2", None),
        ("glibc x.y", None),
        (None, None),
    ],
)
def test_the_c_library_is_read_or_not_known(text: str | None, expected: tuple[int, int] | None) -> None:
    assert scram.glibc_version(text) == expected
