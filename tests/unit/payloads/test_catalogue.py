"""Kernels are found by their manifests; a manifest that cannot be right is one sentence."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from payloads.catalogue import ManifestError, UnknownKernelError, choose, kernels, read_kernel

TOY = Path(__file__).parent / "toy" / "toy"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(TOY, tmp_path / "toy")
    return tmp_path


def _manifest(folder: Path) -> Path:
    return folder / "toy" / "manifest.toml"


def test_a_folder_with_a_manifest_is_a_kernel(folder: Path) -> None:
    (folder / "empty").mkdir()
    (folder / "__init__.py").write_text("")
    found = kernels(folder)
    assert [kernel.name for kernel in found] == ["toy"]
    assert found[0].manifest.events.count == 4
    assert found[0].manifest.physics["efficiency"].holds(0.99)
    assert not found[0].manifest.physics["efficiency"].holds(float("nan"))


def test_the_digest_of_the_sources_moves_with_what_decides_what_is_right(folder: Path) -> None:
    before = read_kernel(folder / "toy").sources_digest
    (folder / "toy" / "README.md").write_text("words")
    assert read_kernel(folder / "toy").sources_digest == before
    (folder / "toy" / "reference.py").write_text("# another truth")
    assert read_kernel(folder / "toy").sources_digest != before


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('name = "toy"', 'name = "other"', "they must agree"),
        ('name = "toy"', 'name = "../toy"', "name"),
        ("low = 0.99", "low = 2.0", "above high"),
        ("low = 0.99", "low = nan", "physics.efficiency.low"),
        ("low = 0.99", "", "physics.efficiency.low"),
        ("count = 4", "count = 0", "events.count"),
        ("count = 4", "count = 4\nextra = 1", "events.extra"),
        ("seed = 7", "seed = -7", "events.seed"),
        ("pile_up = 50", "pile_up = 5000", "events.pile_up"),
        ("shift = 0.0", 'shift = "left"', "settings.shift"),
        ("[events]", "[events", "not TOML"),
        ("[settings]", "[singles]\npile_up = 0\nseed = 1\ncount = 1\n[settings]", "singles.section"),
    ],
)
def test_a_bad_manifest_is_one_sentence(folder: Path, old: str, new: str, told: str) -> None:
    path = _manifest(folder)
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(ManifestError, match=told) as caught:
        kernels(folder)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_manifest_that_is_not_text_or_too_large_is_refused(folder: Path) -> None:
    _manifest(folder).write_bytes(b"\xff\xfe")
    with pytest.raises(ManifestError, match="not UTF-8"):
        kernels(folder)
    _manifest(folder).write_bytes(b" " * 300_000)
    with pytest.raises(ManifestError, match="larger than"):
        kernels(folder)


def test_an_unknown_name_is_suggested(folder: Path) -> None:
    found = kernels(folder)
    assert choose(found, ()) == found
    assert choose(found, ("toy",)) == found
    with pytest.raises(UnknownKernelError, match="did you mean 'toy'"):
        choose(found, ("toyy",))
    with pytest.raises(UnknownKernelError, match="there are: toy"):
        choose(found, ("pixeltrack",))


def test_the_installed_kernels_can_be_read() -> None:
    kernels()
