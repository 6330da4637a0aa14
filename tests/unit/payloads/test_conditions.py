"""The state of the machine, from file trees made for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from payloads.conditions import Spell, Watcher, disturbed, remarks, spell, together


def _tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


FULL = {
    "proc/loadavg": "3.25 1.0 0.5 4/200 1234\n",
    "proc/stat": "cpu  1000 100 300 5000 50 10 20 40 7 0\ncpu0 1 2 3\n",
    "proc/self/cgroup": "0::/slice/job\n",
    "sys/fs/cgroup/slice/job/cpu.stat": "usage_usec 5\n",
    "sys/fs/cgroup/slice/cpu.stat": "usage_usec 9\nnr_periods 100\nnr_throttled 7\nthrottled_usec 1500000\n",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "2400000\n",
    "sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq": "2600000\n",
    "sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count": "3\n",
    "sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_count": "5\n",
    "sys/devices/system/cpu/cpu1/thermal_throttle/core_throttle_count": "4\n",
    "sys/devices/system/cpu/cpu1/thermal_throttle/package_throttle_count": "5\n",
}


def test_a_machine_that_tells_everything(tmp_path: Path) -> None:
    seen = Watcher([0, 1], _tree(tmp_path, FULL)).look()
    assert seen.load_1min == 3.25
    assert seen.cpu_mhz == 2500
    assert seen.throttle_events == 12
    assert seen.busy_s == pytest.approx(14.3)
    assert seen.steal_s == pytest.approx(0.4)
    assert seen.throttled_periods == 7, "a quota of the cgroup above counts, too"
    assert seen.throttled_s == 1.5


def test_cgroup_v1_counts_nanoseconds(tmp_path: Path) -> None:
    files = {
        "proc/self/cgroup": "4:memory:/x\n3:cpu,cpuacct:/job\n0::/\n",
        "sys/fs/cgroup/cpu,cpuacct/job/cpu.stat": "nr_periods 9\nnr_throttled 2\nthrottled_time 500000000\n",
    }
    seen = Watcher([0], _tree(tmp_path, files)).look()
    assert (seen.throttled_periods, seen.throttled_s) == (2, 0.5)


@pytest.mark.parametrize("damage", ["", "cpu\n", "cpu a b c d e f g h\n", "cpu 0 0 0 0 0 0 0 0\n", "\0\xff"])
def test_what_is_not_told_is_none(tmp_path: Path, damage: str) -> None:
    names = ("proc/loadavg", "proc/stat", "proc/self/cgroup", "proc/cpuinfo")
    seen = Watcher([0, 1], _tree(tmp_path, dict.fromkeys(names, damage))).look()
    assert seen.load_1min is None
    assert seen.busy_s is None
    assert seen.cpu_mhz is None
    assert seen.throttle_events is None
    assert seen.throttled_periods is None


def test_a_virtual_machine_tells_its_clock_in_cpuinfo(tmp_path: Path) -> None:
    text = "cpu MHz\t\t: 2445.4\nmodel name : x\ncpu MHz : 2445.4\ncpu MHz : ?\n"
    assert Watcher([0], _tree(tmp_path, {"proc/cpuinfo": text})).look().cpu_mhz == 2445.4


def _spell_between(tmp_path: Path, changes: dict[str, str], own_s: float, copies: int) -> Spell:
    root = _tree(tmp_path, FULL)
    watcher = Watcher([0, 1], root)
    before = watcher.look()
    after = Watcher([0, 1], _tree(root, changes)).look()
    object.__setattr__(after, "at", before.at + 10)
    return spell(before, after, own_s, copies)


def test_others_are_what_the_machine_did_beside_us(tmp_path: Path) -> None:
    found = _spell_between(tmp_path, {"proc/stat": "cpu 3500 100 300 5000 50 10 20 40 7 0\n"}, 20.0, 2)
    assert found.others_cpus == pytest.approx(0.5)
    assert remarks(found, 2, 1.0) == ["other processes kept 0.5 CPUs busy while it was measured"]


def test_a_quiet_machine_gives_no_remark(tmp_path: Path) -> None:
    found = _spell_between(tmp_path, {"proc/stat": "cpu 3000 100 300 5000 50 10 20 40 7 0\n"}, 20.0, 2)
    assert remarks(found, 2, 0.999) == []


def test_everything_that_disturbs_is_said(tmp_path: Path) -> None:
    changes = {
        "proc/stat": "cpu 3000 100 300 5000 50 10 20 440 7 0\n",
        "sys/fs/cgroup/slice/cpu.stat": "nr_periods 200\nnr_throttled 17\nthrottled_usec 2500000\n",
        "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "1200000\n",
        "sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq": "1200000\n",
        "sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count": "9\n",
    }
    found = _spell_between(tmp_path, changes, 16.0, 2)
    assert found.throttled_s == 1.0
    said = "; ".join(remarks(found, 2, 0.8))
    for word in ("steal", "20%", "6 times", "10 periods", "1200 and 2500 MHz", "80%"):
        assert word in said


def test_spells_add_up() -> None:
    one = Spell(
        wall_s=1.0, own_cpu_s=2.0, others_cpus=1.0, steal_share=0.0, throttle_events=1, throttled_periods=None,
        throttled_s=None, cpu_mhz_low=2000, cpu_mhz_high=2100,
    )  # fmt: skip
    two = Spell(
        wall_s=3.0, own_cpu_s=6.0, others_cpus=0.0, steal_share=0.4, throttle_events=2, throttled_periods=1,
        throttled_s=0.1, cpu_mhz_low=1900, cpu_mhz_high=2000,
    )  # fmt: skip
    whole = together([one, two])
    assert whole is not None
    assert whole.wall_s == 4
    assert whole.others_cpus == pytest.approx(0.25)
    assert whole.steal_share == pytest.approx(0.3)
    assert whole.throttle_events == 3
    assert whole.throttled_periods is None, "one did not know"
    assert (whole.cpu_mhz_low, whole.cpu_mhz_high) == (1900, 2100)
    assert together([]) is None


def test_a_repeat_is_disturbed_by_others_and_not_by_our_own_quota() -> None:
    def of(own_share: float, **changes: float) -> bool:
        known = {
            "throttle_events": None, "throttled_s": None, "cpu_mhz_low": None, "cpu_mhz_high": None, "others_cpus": 0.0,
            "steal_share": 0.0, "throttled_periods": 0,
        }  # fmt: skip
        return disturbed(Spell(wall_s=1.0, own_cpu_s=own_share, **{**known, **changes}), own_share)  # type: ignore[arg-type]

    assert not of(0.99)
    assert not of(0.99, steal_share=0.01)
    assert of(0.99, steal_share=0.03)
    assert of(0.97)
    assert not of(0.97, throttled_periods=1)
    assert not disturbed(
        Spell(
            wall_s=1.0, own_cpu_s=1.0, others_cpus=None, steal_share=None, throttle_events=None, throttled_periods=None,
            throttled_s=None, cpu_mhz_low=None, cpu_mhz_high=None,
        ),
        1.0,
    ), "what a machine does not tell disturbs nothing"  # fmt: skip
