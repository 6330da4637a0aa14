"""The agent inside a real Apptainer container, as an ordinary user: the way a pilot starts a payload."""

from __future__ import annotations

import os

import pytest

from profiles.facts.container import NamespaceMode
from profiles.reading import read_profile
from tests.lab.apptainer import USER_ID, Apptainer
from tests.lab.asking import Question

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("apptainer")]


def test_it_is_apptainer_and_not_its_ancestor(apptainer: Apptainer) -> None:
    major, minor = apptainer.version().split(".")[:2]
    assert (int(major), int(minor)) >= (1, 4)


def test_the_container_says_what_it_is(apptainer: Apptainer) -> None:
    questions: list[Question] = [
        ("env", ["APPTAINER_CONTAINER"]),
        ("env", ["SINGULARITY_CONTAINER"]),
        ("env_names", ["APPTAINER_"]),
        ("dir", ["/.singularity.d"]),
        ("identity", []),
        ("file", ["/etc/debian_version", 100]),
    ]

    image, ancestor, names, markers, identity, version = apptainer.ask(questions)

    assert image == ancestor == apptainer.image
    assert {"APPTAINER_NAME", "APPTAINER_COMMAND", "APPTAINER_ENVIRONMENT"} <= set(names)
    assert "runscript" in markers
    assert identity == [USER_ID] * 3
    assert version.startswith("12.")


def test_the_payload_runs_in_a_user_namespace_without_new_privileges(apptainer: Apptainer) -> None:
    uid_map, status = apptainer.ask(
        [("file", ["/proc/self/uid_map", 1000]), ("file", ["/proc/self/status", 65_536])]
    )

    assert uid_map.split() == [str(USER_ID), str(USER_ID), "1"]
    assert "NoNewPrivs:\t1\n" in status


def test_the_environment_of_the_pilot_reaches_the_payload_unless_cleaned(apptainer: Apptainer) -> None:
    question: list[Question] = [("env", ["GLIDEIN_CMSSite"])]
    env = {"GLIDEIN_CMSSite": "T2_XX_Lab"}

    assert apptainer.ask(question, env=env) == ["T2_XX_Lab"]
    assert apptainer.ask(question, env=env, extra=["--cleanenv"]) == [None]


def test_a_contained_payload_without_network_answers_too(apptainer: Apptainer) -> None:
    questions: list[Question] = [("dir", ["/sys/class/net"]), ("try_write", ["/tmp", 4096]), ("affinity", [])]

    interfaces, write, affinity = apptainer.ask(questions, extra=["--containall", "--net", "--network=none"])

    assert "lo" in interfaces
    assert write[0]
    assert affinity


def test_the_image_is_read_only(apptainer: Apptainer) -> None:
    (write,) = apptainer.ask([("try_write", ["/usr", 4096])])
    assert write[:2] == [False, "EROFS"]


def test_the_profile_says_what_a_payload_gets(apptainer: Apptainer) -> None:
    done = apptainer.run_agent(["probe", "--json", "context", "cores", "memory", "container"])

    assert done.returncode in (0, 1), done.stderr + done.stdout
    facts = read_profile(done.stdout.encode()).facts
    assert facts.context is not None
    assert facts.context.runtime == "apptainer"
    assert facts.cores is not None
    assert facts.cores.effective_cores == len(os.sched_getaffinity(0))
    assert facts.memory is not None
    assert facts.memory.effective_bytes is not None
    assert facts.container is not None
    assert facts.container.mode is NamespaceMode.UNPRIVILEGED
    assert facts.container.no_new_privs is True
    assert facts.container.effective_capabilities == ()
