"""Device code that was made before: with the wheel, or by an earlier run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from payloads.backends import cubin, cuda, embedded, nvrtc
from payloads.backends.device_code import DeviceCompilerError
from payloads.events import maker
from payloads.store import Store
from tests.unit.payloads.device.conftest import Node
from tests.unit.payloads.device.opening import opened

pytestmark = pytest.mark.slow


class TestCodeOfTheWheel:
    """Cubins that were made when the wheel was built."""

    @pytest.fixture
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setattr(embedded, "FOLDER", tmp_path / "embedded")
        monkeypatch.setattr(embedded, "ARCHITECTURES", ("sm_80", "sm_90"))
        assert embedded.make(embedded.FOLDER, ("clue",)) == 3
        return embedded.FOLDER

    def test_it_is_what_a_gpu_is_given(self, node: Node, folder: Path) -> None:
        node()
        assert opened(0, folder) == ["cuda device 0 (Fake H100)", "sm_90 wheel"]
        node("no-binary")
        name, code, said = opened(0, folder)
        assert code == "compute_60 wheel"
        assert said.startswith(f"{name} runs clue from compute_60: {name} failed to load the kernel's code")

    def test_a_gpu_takes_that_of_an_earlier_one_of_its_major_version(self, folder: Path) -> None:
        for architecture, found in (("sm_80", "sm_80"), ("sm_86", "sm_80"), ("sm_90", "sm_90")):
            code = embedded.embedded("clue", architecture)
            assert code is not None
            assert (code.architecture, code.origin, code.compiler) == (found, "wheel", nvrtc.version())
            assert code.code == nvrtc.compile_kernel("clue", found).code
        assert embedded.embedded("clue", "sm_75") is None
        assert embedded.embedded("mkfit", "sm_80") is None

    def test_code_of_other_sources_is_not_used(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(embedded, "sources_digest", lambda kernel, options: "0" * 16)
        assert embedded.embedded("clue", "sm_90") is None

    def test_what_is_there_is_not_made_again_and_what_is_old_goes(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        old, foreign = folder / f"clue-sm_50-{'0' * 16}", folder / "notes.txt"
        for path in (old, foreign):
            path.write_text("x")
        monkeypatch.setattr(nvrtc, "compile_kernel", None)
        embedded.make(folder, ("clue",))
        assert (old.exists(), foreign.exists()) == (False, True)

    def test_a_wheel_without_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(embedded, "FOLDER", tmp_path / "nothing")
        assert embedded.embedded("clue", "sm_90") is None

    def test_without_nvrtc_it_is_said_and_the_wheel_is_built_all_the_same(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def absent(kernel: str, architecture: str) -> None:
            raise DeviceCompilerError("NVRTC is not there")

        monkeypatch.setattr(nvrtc, "compile_kernel", absent)
        monkeypatch.setattr(sys, "argv", ["embedded", str(tmp_path / "embedded")])
        assert embedded.main() == 0
        assert capsys.readouterr().out == "sitecap: no device code in the wheel: NVRTC is not there\n"


class TestKeptCode:
    """Device code is kept beside the events."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        return Store(tmp_path / "cache", maker(), 2**30)

    def test_it_is_made_once(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        made, said = cuda.code_of("clue", "sm_90", [store])
        assert (said, made.origin) == ((), "compiled")
        monkeypatch.setattr(nvrtc, "compile_kernel", None)
        kept, said = cuda.code_of("clue", "sm_90", [store])
        assert (kept.code, kept.origin, kept.compiler, said) == (made.code, "kept", made.compiler, ())

    def test_another_architecture_and_another_kernel_are_not_taken_for_it(self, store: Store) -> None:
        codes = {cuda.code_of(kernel, architecture, [store])[0].code
                 for kernel, architecture in (("clue", "sm_90"), ("clue", "sm_80"), ("mkfit", "sm_90"))}  # fmt: skip
        assert len(codes) == 3

    def test_what_is_corrupt_is_made_again_and_said(self, store: Store) -> None:
        made, _ = cuda.code_of("clue", "sm_90", [store])
        (kept,) = store.directory.rglob("code-clue-sm_90-*/code.npy")
        kept.write_bytes(kept.read_bytes()[:-100] + bytes(100))
        again, said = cuda.code_of("clue", "sm_90", [store])
        assert (again.code, again.origin) == (made.code, "compiled")
        assert len(said) == 1
        assert said[0].endswith("made again")
        assert cuda.code_of("clue", "sm_90", [store])[1] == ()

    def test_a_place_that_cannot_be_written_is_said_and_gone_around(self, store: Store) -> None:
        store.directory.write_text("a file where the directory should be")
        made, said = cuda.code_of("clue", "sm_90", [store])
        assert cubin.entries(made.code)
        assert any(str(store.directory) in sentence for sentence in said)
