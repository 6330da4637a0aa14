"""The kernels under the sanitizers: no access out of bounds, nothing undefined, no race between copies."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.check_program import RUNS, Build, compiled_check

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.xdist_group("check-programs")]

# Without optimisation, for more than the time that it takes: g++ 12.2 (Debian 12) with -fsanitize=undefined
# -fno-sanitize-recover=all at -O2 or -O3 for plain SSE2 loses doublets at 8 lanes (43,287 of 50,875 at pile-up 30),
# in silence. The loop over the lanes of a mask behind `are_doublets` alone does so, compiled by itself; with
# -fno-gcse-lm (load motion of the global common subexpression pass) or for AVX2 it is right, with
# -fno-strict-aliasing it stays wrong; clang 14 with the same sanitizers is right, and valgrind finds nothing read that was
# not written. So it is the compiler, not undefined behaviour of ours; builds without sanitizers are right at all levels.
SANITIZED = (
    Build("address and undefined", "g++",
          "-O0 -g -march=x86-64-v2 -fsanitize=address,undefined -fno-sanitize-recover=all", 4),
    Build("thread", "g++", "-O0 -g -march=x86-64-v2 -fsanitize=thread", 4),
)  # fmt: skip


@pytest.mark.parametrize("build", SANITIZED, ids=lambda build: build.name)
def test_clean(build: Build, tmp_path: Path) -> None:
    program = compiled_check(build, tmp_path / "check")
    for kernel, section, pile_up in RUNS:
        done = program.run(kernel, section, pile_up, events=1, threads=2)
        assert done.returncode == 0, f"{kernel}: {done.stderr[:4000]}"
        assert "ERROR" not in done.stderr
        if kernel == "pixeltrack":
            # all charge that 16 bits can say, in one pixel of one module: more than a sum of 32 bits holds
            absurd = dict.fromkeys(("digi_module", "digi_row", "digi_column"), 0) | {"digi_adc": 65535}
            done = program.run(kernel, section, 5.0, events=1, threads=1, columns=absurd)
            assert "runtime error" not in done.stderr
            assert done.returncode == 1
            assert "check: column 'digi_adc' gives module 0 of event 0 more than" in done.stderr
