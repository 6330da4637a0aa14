"""The command line as a user meets it: whole processes, real machine, real closed pipes and full disks."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from importlib import metadata
from pathlib import Path

import jsonschema
import pytest

from profiles.reading import read_profile
from profiles.schema import schema_text

AGENT = [sys.executable, "-I", "-m", "agent"]
LOCAL = ["probe", "--site-profile", "no-outbound"]


def agent(*arguments: str, **more: object) -> subprocess.CompletedProcess[str]:
    """Run the agent as a whole process."""
    return subprocess.run([*AGENT, *arguments], capture_output=True, text=True, timeout=120, **more)  # type: ignore[call-overload, no-any-return]


def one_sentence(done: subprocess.CompletedProcess[str]) -> str:
    """The error as the user reads it; a traceback or a second line fails the test."""
    assert "Traceback" not in done.stderr + done.stdout
    lines = [line for line in done.stderr.splitlines() if line]
    assert len(lines) == 1, done.stderr
    return lines[0]


def test_the_profile_of_this_machine_obeys_the_committed_schema() -> None:
    done = agent(*LOCAL, "--json")
    profile = read_profile(done.stdout.encode())
    jsonschema.validate(json.loads(done.stdout), json.loads(schema_text()))
    assert profile.facts.cores is not None
    assert profile.facts.cores.effective_cores == pytest.approx(len(os.sched_getaffinity(0)))
    failed = any(check.status == "CRITICAL" for check in profile.checks)
    assert done.returncode == (1 if failed else 0)


def test_every_check_of_the_catalogue_has_one_verdict() -> None:
    listed = {
        line.split()[0] for line in agent("probe", "--list").stdout.splitlines() if line.startswith("    ")
    }
    judged = [check["id"] for check in json.loads(agent(*LOCAL, "--json").stdout)["checks"]]
    assert sorted(judged) == sorted(listed)
    assert {"CTX-01", "CPU-01", "MEM-01", "DSK-01", "LIM-01", "CNT-01", "GPU-01", "NET-01"} <= listed


def test_the_screen_names_code_cause_fix_and_where_to_read_on() -> None:
    done = agent(*LOCAL, "cpu", "cores", env={**os.environ, "SITECAP_THRESHOLDS__X": "1"})
    assert done.returncode == 2  # a threshold of a check that does not exist
    config = '[thresholds."CPU-04"]\nwarn_below_level = 9\ncritical_below_level = 9\n'
    path = Path(os.environ["XDG_RUNTIME_DIR"]) / "agent.toml"
    path.write_text(config)
    done = agent(*LOCAL, "cpu", "--config", str(path))
    assert done.returncode == 1
    assert "FAIL" in done.stdout
    assert "CPU-04" in done.stdout
    assert "fix" in done.stdout
    assert "agent explain CPU-04" in done.stdout
    assert done.stdout.rstrip().endswith("Nothing was sent.")


def test_a_moved_threshold_says_where_it_came_from(tmp_path: Path) -> None:
    path = tmp_path / "agent.toml"
    path.write_text('[thresholds."CPU-04"]\nwarn_below_level = 4\n')
    checks = json.loads(agent(*LOCAL, "cpu", "--json", "--config", str(path)).stdout)["checks"]
    level = next(check for check in checks if check["id"] == "CPU-04")
    bound = next(bound for bound in level["thresholds"] if bound["name"] == "warn_below_level")
    assert bound["value"] == 4
    assert "site configuration" in bound["origin"]


def test_a_skipped_check_carries_the_sites_reason(tmp_path: Path) -> None:
    path = tmp_path / "agent.toml"
    path.write_text('[skip_checks]\n"CPU-04" = "kept for old releases"\n')
    checks = json.loads(agent(*LOCAL, "cpu", "--json", "--config", str(path)).stdout)["checks"]
    level = next(check for check in checks if check["id"] == "CPU-04")
    assert level["status"] == "SKIPPED"
    assert "kept for old releases" in level["reason"]


@pytest.mark.parametrize("format_name", ["nagios", "classad", "glidein", "markdown", "html"])
def test_every_format_prints_something_of_its_own(format_name: str) -> None:
    done = agent(*LOCAL, "cpu", "cores", "--format", format_name)
    mark = {
        "nagios": "SITECAP ",
        "classad": "CMSAgent_",
        "glidein": "<OSGTestResult",
        "markdown": "## sitecap",
        "html": "<svg",
    }
    assert mark[format_name] in done.stdout
    assert done.stderr == ""


def test_nagios_codes_replace_ours(tmp_path: Path) -> None:
    path = tmp_path / "agent.toml"
    path.write_text('[thresholds."CPU-04"]\ncritical_below_level = 9\nwarn_below_level = 9\n')
    assert agent(*LOCAL, "cpu", "--format", "nagios", "--config", str(path)).returncode == 2
    assert agent(*LOCAL, "cpu", "--config", str(path)).returncode == 1
    assert agent(*LOCAL, "cpu", "--exit-map", "always0", "--config", str(path)).returncode == 0


# -- bad input ---------------------------------------------------------------------------------------------


def test_an_unknown_probe_is_suggested() -> None:
    done = agent("probe", "memroy")
    assert done.returncode == 2
    assert "did you mean 'memory'?" in one_sentence(done)


def test_a_setting_may_be_given_as_a_flag() -> None:
    done = agent(*LOCAL, "disk", "--json", "--set", "disk.write_test_bytes=0")
    write = next(check for check in json.loads(done.stdout)["checks"] if check["id"] == "DSK-05")
    assert write["status"] == "SKIPPED"
    refused = agent(*LOCAL, "disk", "--set", "disk.write_test_byte=0")
    assert refused.returncode == 2
    assert "did you mean 'disk.write_test_bytes'?" in one_sentence(refused)


def test_an_unknown_container_engine_is_wrong_usage() -> None:
    done = agent("probe", "--container", "lxc", "el9")
    assert done.returncode == 2
    assert "'docker', 'podman', 'apptainer'" in done.stderr


@pytest.mark.parametrize("root", ["/nowhere/at/all", "/etc/passwd"])
def test_a_root_that_is_no_directory_is_wrong_usage(root: str) -> None:
    done = agent("probe", "--root", root, "cpu")
    assert done.returncode == 2
    assert f"'{root}'" in done.stderr
    assert done.stdout == ""


def test_a_wrong_key_in_the_configuration_is_named(tmp_path: Path) -> None:
    path = tmp_path / "agent.toml"
    path.write_text('[disk]\nscratch_pth = "/scratch"\n')
    done = agent("probe", "--config", str(path))
    assert done.returncode == 2
    sentence = one_sentence(done)
    assert str(path) in sentence
    assert "did you mean 'disk.scratch_path'?" in sentence


def test_an_error_in_json_mode_is_json() -> None:
    done = agent("probe", "memroy", "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "usage"
    assert done.stderr == ""


def test_a_replay_of_nothing_says_how_to_record(tmp_path: Path) -> None:
    done = agent("probe", "--replay", str(tmp_path))
    assert done.returncode == 3
    assert "agent probe --record" in one_sentence(done)


def test_output_into_what_is_no_file_is_written_and_not_replaced(tmp_path: Path) -> None:
    pipe, link, target = tmp_path / "pipe", tmp_path / "link", tmp_path / "target"
    os.mkfifo(pipe)
    link.symlink_to(target)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert agent(*LOCAL, "limits", "--json", "-o", str(pipe)).returncode == 0
        profile = json.loads(os.read(reading, 1_000_000))
    finally:
        os.close(reading)
    assert profile["facts"]["limits"]
    assert pipe.is_fifo()
    assert agent(*LOCAL, "limits", "--json", "-o", str(link)).returncode == 0
    assert link.is_symlink()
    assert json.loads(target.read_text())["facts"]["limits"]


def test_standard_output_closed_from_the_start() -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" >&-', "sh", *AGENT, *LOCAL],
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
    )
    assert done.returncode == 3
    assert "standard output" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_that_goes_away() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*AGENT, *LOCAL, "--json"], stdout=writing, stderr=subprocess.PIPE, text=True, timeout=120
    )
    os.close(writing)
    assert done.returncode == 3
    assert "went away" in one_sentence(subprocess.CompletedProcess([], 3, "", done.stderr))


def test_a_full_disk_behind_standard_output() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*AGENT, *LOCAL, "--json"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=120
        )
    assert done.returncode == 3
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_output_file_that_cannot_be_written(tmp_path: Path) -> None:
    done = agent(*LOCAL, "cpu", "-o", str(tmp_path / "no" / "such" / "profile.json"), "--json")
    assert done.returncode == 3
    assert "No such file or directory" in one_sentence(done)


def test_an_output_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "profile.json"
    agent(*LOCAL, "cpu", "-o", str(path), "--json")
    assert read_profile(path.read_bytes()).facts.cpu is not None
    assert [entry.name for entry in tmp_path.iterdir()] == ["profile.json"]


@pytest.mark.parametrize("columns", ["40", "17", "80"])
def test_a_narrow_terminal_folds_and_loses_nothing(columns: str) -> None:
    done = agent(*LOCAL, env={**os.environ, "COLUMNS": columns})
    body = done.stdout.splitlines()[1:]
    assert max(map(len, body)) <= max(40, int(columns))
    assert "Nothing" in done.stdout


def test_a_terminal_without_utf8() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    program = [sys.executable, "-m", "agent", *LOCAL]
    done = subprocess.run(program, capture_output=True, env=environment, timeout=120)
    done.stdout.decode("ascii")
    assert b"Traceback" not in done.stderr


def test_colour_only_where_it_is_wanted() -> None:
    plain = agent(*LOCAL, "cpu")
    forced = agent(*LOCAL, "cpu", env={**os.environ, "FORCE_COLOR": "1"})
    refused = agent(*LOCAL, "cpu", env={**os.environ, "FORCE_COLOR": "1", "NO_COLOR": "1"})
    assert "\033[" not in plain.stdout
    assert "\033[" in forced.stdout
    assert "\033[" not in refused.stdout


def test_a_hostile_root_of_link_loops(tmp_path: Path) -> None:
    (tmp_path / "proc").symlink_to("sys")
    (tmp_path / "sys").symlink_to("proc")
    done = agent(*LOCAL, "--root", str(tmp_path), "--json")
    profile = read_profile(done.stdout.encode())
    assert "Traceback" not in done.stderr
    assert all(run.outcome == "finished" for run in profile.limits.probes)


def test_a_root_of_garbage(tmp_path: Path) -> None:
    for name in ("proc/cpuinfo", "proc/meminfo", "proc/self/cgroup", "proc/self/mountinfo", "proc/loadavg"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(5000))
    (tmp_path / "proc" / "\udcff\udcfe").mkdir()
    (tmp_path / "etc").mkdir()
    os.mkfifo(tmp_path / "etc" / "os-release")
    with (tmp_path / "proc" / "self" / "status").open("wb") as huge:
        huge.truncate(2**31)
    done = agent(*LOCAL, "--root", str(tmp_path), "--json")
    profile = read_profile(done.stdout.encode())
    assert "Traceback" not in done.stderr
    assert all(run.outcome == "finished" for run in profile.limits.probes)


# -- recordings --------------------------------------------------------------------------------------------


def test_a_recording_replays_to_the_same_facts_and_verdicts(tmp_path: Path) -> None:
    recorded = json.loads(agent(*LOCAL, "--json", "--record", str(tmp_path / "recording")).stdout)
    replayed = json.loads(agent(*LOCAL, "--json", "--replay", str(tmp_path / "recording")).stdout)
    assert replayed["facts"] == recorded["facts"]
    for before, after in zip(recorded["checks"], replayed["checks"], strict=True):
        assert {**before, "duration_s": None} == {**after, "duration_s": None}


def test_a_recording_holds_no_host_name(tmp_path: Path) -> None:
    agent(*LOCAL, "--record", str(tmp_path / "recording"))
    written = (tmp_path / "recording" / "answers.jsonl").read_text()
    assert f'"{os.uname().nodename}"' not in written
    machine_id = Path("/etc/machine-id")
    if machine_id.is_file() and machine_id.read_text().strip():
        assert machine_id.read_text().strip() not in written


def test_a_recording_does_not_go_into_a_directory_in_use(tmp_path: Path) -> None:
    (tmp_path / "something").touch()
    done = agent(*LOCAL, "--record", str(tmp_path))
    assert done.returncode == 3
    assert "not empty" in one_sentence(done)


# -- signals -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_gives_a_partial_profile(tmp_path: Path, number: signal.Signals, code: int) -> None:
    # A container runtime that never answers holds the run up.
    slow = tmp_path / "bin"
    slow.mkdir()
    for program in ("apptainer", "singularity"):
        (slow / program).write_text("#!/bin/sh\nexec sleep 60\n")
        (slow / program).chmod(0o755)
    environment = {**os.environ, "PATH": f"{slow}:{os.environ['PATH']}"}
    process = subprocess.Popen(
        [*AGENT, *LOCAL, "container", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    )
    _wait_for_child_running("sleep", process.pid)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    profile = read_profile(out)
    assert profile.limits.partial
    assert number.name in (profile.limits.reason or "")


def _wait_for_child_running(program: str, ancestor: int) -> None:
    for _ in range(600):
        listed = subprocess.run(
            ["ps", "-eo", "pid=,ppid=,comm="], capture_output=True, text=True, check=True
        ).stdout
        parents = {int(line.split()[0]): int(line.split()[1]) for line in listed.splitlines()}
        for line in listed.splitlines():
            pid, _, name = line.split(None, 2)
            above = int(pid)
            while above in parents and above != ancestor:
                above = parents[above]
            if name == program and above == ancestor:
                return
        time.sleep(0.05)
    raise AssertionError(f"{program} was never started below {ancestor}")


def test_the_wheel_brings_our_seven_names_and_nothing_else(tmp_path: Path) -> None:
    repository = Path(__file__).parents[3]
    # Without the kernels, which take minutes: tests/unit/payloads/test_compiled.py sees that they are installed.
    build = "import sys; from scikit_build_core.build import build_wheel; build_wheel(sys.argv[1])"
    subprocess.run(
        [sys.executable, "-c", build, str(tmp_path)],
        cwd=repository,
        check=True,
        capture_output=True,
        env={**os.environ, "SITECAP_NO_KERNELS": "1"},
    )
    (wheel,) = tmp_path.glob("sitecap-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "agent",
        "capacity",
        "computing_model",
        "payloads",
        "probes",
        "profiles",
        "sitecap",
    }
    assert "profiles/schemas/capability-profile-1.0.json" in names
    assert "payloads/include/sitecap/lanes.h" in names  # a GPU's run-time compiler reads it
    assert not [name for name in names if name.endswith((".so", ".cpp"))]


def test_no_other_distribution_takes_our_names() -> None:
    found = metadata.packages_distributions()
    for name in ("agent", "capacity", "computing_model", "payloads", "probes", "profiles", "sitecap"):
        # An editable install lists no files, so our own claim may be missing; nobody else's may be there.
        assert set(found.get(name, ["sitecap"])) == {"sitecap"}


def test_importing_the_agent_loads_nothing_heavy() -> None:
    code = "import sys, agent; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert not {"pydantic", "click", "archspec", "docker", "pynvml", "ssl", "requests"} & set(
        done.stdout.split()
    )


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_of_that_shell(shell: str) -> None:
    script = agent("completion", shell).stdout
    assert "_AGENT_COMPLETE" in script
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, text=True, check=True)


def test_the_schema_command_prints_the_committed_schema() -> None:
    assert agent("schema").stdout == schema_text()
    refused = agent("schema", "--version", "9.9")
    assert refused.returncode == 2
    assert "1.0" in one_sentence(refused)


def test_config_show_names_origins(tmp_path: Path) -> None:
    path = tmp_path / "agent.toml"
    path.write_text('site_name = "T2_XX_File"\nbudget_s = 20\n')
    shown = agent(
        "config", "show", "--json", "--config", str(path), env={**os.environ, "SITECAP_BUDGET_S": "30"}
    )
    values = {value["key"]: value for value in json.loads(shown.stdout)}
    assert values["site_name"] == {"key": "site_name", "value": "T2_XX_File", "origin": str(path)}
    assert values["budget_s"]["value"] == 30.0
    assert values["budget_s"]["origin"] == "environment"
    assert values["identify"]["origin"] == "default"


def test_explain_suggests_and_explains() -> None:
    assert "REQUIRED_MINIMUM_MICROARCH" in agent("explain", "cpu-04").stdout
    wrong = agent("explain", "CPU-4")
    assert wrong.returncode == 2
    assert "did you mean CPU-04?" in one_sentence(wrong)
