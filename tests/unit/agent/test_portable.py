"""What is carried into a container, and that it stands on nothing of the machine it lands on."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from agent import portable, shared_objects


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("portable") / "cache"


@pytest.fixture(scope="module")
def agent(cache: Path) -> portable.PortableAgent:
    return portable.build(cache)


def test_runs_in_a_root_that_has_nothing_at_all(agent: portable.PortableAgent, tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "proc").mkdir(parents=True)
    script = (
        'set -e; root=$1; shift; while [ "$1" != -- ]; do mkdir -p "$root$2"; mount --bind "$1" "$root$2"; '
    )
    script += 'shift 2; done; shift; exec chroot "$root" "$@"'
    mounts = [part for mount in agent.mounts for part in (str(mount.source), mount.target)]
    command = [
        "unshare",
        "--user",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        script,
        "sh",
        str(root),
        *mounts,
    ]
    code = "import ctypes, pydantic_core, ssl, sys; print(sys.prefix, sys.executable)"
    done = subprocess.run(
        [*command, "--", *_with_code(agent, code)],
        # What an image's ENV may say must not matter.
        env={"PATH": os.environ["PATH"], "PYTHONHOME": "/nowhere", "PYTHONPATH": "/nowhere"},
        capture_output=True,
        text=True,
        check=False,
    )
    if "unshare failed" in done.stderr or "Operation not permitted" in done.stderr:
        pytest.skip(f"no user namespaces here: {done.stderr.strip()}")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["/.sitecap", f"/.sitecap/bin/{Path(sys.executable).resolve().name}"]


def _with_code(agent: portable.PortableAgent, code: str) -> list[str]:
    """The carried interpreter with ``-c``: the boot script's import path, then the code."""
    boot = (agent.mounts[0].source / "boot.py").read_text()
    path_line = next(line for line in boot.splitlines() if line.startswith("sys.path"))
    return [*agent.python[:-1], "-c", f"import sys; {path_line}; {code}"]


def test_carries_every_package_that_its_command_line_imports(
    agent: portable.PortableAgent, tmp_path: Path
) -> None:
    for mount in agent.mounts[1:]:
        seen_at = tmp_path / mount.target.lstrip("/")
        seen_at.parent.mkdir(parents=True, exist_ok=True)
        seen_at.symlink_to(mount.source)
    boot = (agent.mounts[0].source / "boot.py").read_text().replace("'/.sitecap", f"'{tmp_path}/.sitecap")
    (tmp_path / "boot.py").write_text(boot)

    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", str(tmp_path / "boot.py"), "agent", "probe", "--json", "context"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stderr == ""
    assert done.returncode in (0, 1)
    assert '"context"' in done.stdout


def test_names_no_path_of_this_machine_in_its_command(agent: portable.PortableAgent) -> None:
    paths = [part for word in agent.argv for part in word.split(":") if part.startswith("/")]
    assert paths
    assert all(path.startswith(("/.sitecap/", "/.singularity.d/")) for path in paths)
    assert {mount.target for mount in agent.mounts if not mount.target.startswith("/.sitecap")} == set()


def test_carries_the_loader_and_the_c_library_that_run_this_very_test(agent: portable.PortableAgent) -> None:
    mapped = {
        Path(line.split()[-1]) for line in Path("/proc/self/maps").read_text().splitlines() if ".so" in line
    }
    carried = {path.read_bytes() for path in (agent.mounts[0].source / "so").iterdir()}
    essential = [path for path in mapped if path.name.startswith(("ld-", "libc.", "libc-", "libm."))]
    assert len(essential) >= 2
    assert all(path.read_bytes() in carried for path in essential)


def test_is_staged_once(agent: portable.PortableAgent, cache: Path) -> None:
    before = [(path.name, path.stat().st_ino) for path in cache.iterdir()]
    assert portable.build(cache) == agent
    assert [(path.name, path.stat().st_ino) for path in cache.iterdir()] == before


def test_whoever_runs_in_the_container_can_read_it(cache: Path, agent: portable.PortableAgent) -> None:
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    stage = agent.mounts[0].source
    assert all(path.stat().st_mode & 0o004 for path in (stage, *stage.rglob("*")))


def test_refuses_a_cache_in_which_others_could_plant_code(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(portable.PortableError, match=r"writable by them.*mode 0700"):
        portable.build(tmp_path)


def test_says_which_directory_cannot_be_used(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(portable.PortableError, match=r"file.*name another directory"):
        portable.build(file)


def test_says_that_a_static_python_cannot_be_carried(tmp_path: Path) -> None:
    if shutil.which("busybox") is None:
        pytest.skip("no static program at hand (package busybox-static)")
    static = Path(shutil.which("busybox") or "")
    with pytest.raises(shared_objects.SharedObjectsError, match="linked statically"):
        shared_objects.find(static, [])


def test_says_that_the_agent_is_not_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(portable, "DISTRIBUTION", "sitecap-is-not-installed-here")
    with pytest.raises(portable.PortableError, match=r"is not installed for .*install it there"):
        portable.build(tmp_path / "cache")


def test_a_module_whose_library_is_missing_does_not_stop_the_others(tmp_path: Path) -> None:
    broken = tmp_path / "broken.so"
    broken.write_bytes(b"\x7fELF")
    python = Path(sys.executable).resolve()
    assert shared_objects.find(python, [broken]) == shared_objects.find(python, [])
