"""`capacity` as an admin meets it: whole processes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from capacity.cli.codes import REFUSED, UNAVAILABLE, USAGE

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "SITECAP_CAPACITY_DATA_DIRECTORY": str(tmp_path / "data"), "PYTHONPATH": str(ROOT)}


def capacity(*arguments: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "capacity", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=env, cwd="/")


def test_a_token_is_printed_once_and_listed_without_its_secret(environment: dict[str, str]) -> None:
    made = capacity(
        "token", "create", "--site", "T2_LV_Example", "--role", "submit", "--expires", "90d", env=environment
    )
    assert made.returncode == 0, made.stderr
    text = made.stdout.strip()
    assert re.fullmatch(r"sitecap_[0-9a-f]{16}_[A-Za-z0-9_-]{43}", text)
    data = Path(environment["SITECAP_CAPACITY_DATA_DIRECTORY"])
    assert (data.stat().st_mode & 0o077) == 0
    assert not any(text.split("_", 2)[2].encode() in path.read_bytes() for path in data.iterdir())
    one = text.split("_")[1]
    assert capacity("token", "revoke", one, env=environment).returncode == 0
    listed = json.loads(capacity("token", "list", "--json", env=environment).stdout)
    assert [(row["id"], row["site"], row["role"], row["state"]) for row in listed] == [
        (one, "T2_LV_Example", "submit", "revoked")
    ]
    shown = capacity("token", "list", env=environment).stdout
    assert one in shown
    assert text not in shown


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("token", "create", "--role", "submit"), USAGE),
        (("token", "create", "--role", "submit", "--site", "T2_LV_Example", "--all-sites"), USAGE),
        (("token", "create", "--role", "submit", "--site", "Riga"), USAGE),
        (("token", "create", "--role", "admin", "--site", "T2_LV_Example"), USAGE),
        (("token", "create", "--role", "read", "--expires", "soon"), USAGE),
        (("token", "revoke", "0123456789abcdef"), REFUSED),
        (("token", "list", "--database", "mysql://host/db"), USAGE),
        (("token", "list", "--database", "postgresql://sitecap:hunter2@127.0.0.1:1/x"), UNAVAILABLE),
        (("token", "list", "--config", "/nonexistent.toml"), USAGE),
        (("serve", "--tls-certificate", "/nonexistent", "--tls-key", "/nonexistent"), USAGE),
        (("serve", "--tls-key", "/nonexistent"), USAGE),
        (("serve", "--data", "/proc/nowhere"), USAGE),
        (("tokn",), USAGE),
    ],
)
def test_what_cannot_be_done_costs_a_sentence_and_its_code(
    environment: dict[str, str], arguments: tuple[str, ...], code: int
) -> None:
    done = capacity(*arguments, env=environment)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert "hunter2" not in done.stderr
    assert done.stderr.strip()
    assert done.stdout == ""


def test_every_setting_is_shown_with_its_origin(environment: dict[str, str]) -> None:
    shown = {
        one["key"]: one for one in json.loads(capacity("config", "show", "--json", env=environment).stdout)
    }
    assert shown["data_directory"]["origin"] == "environment"
    assert shown["server.port"]["origin"] == "default"
    assert "server.port" in capacity("config", "show", env=environment).stdout
