"""The images that the Dockerfile makes, run by real Podman as strictly as a cluster would."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from profiles.profile import CapabilityProfile
from profiles.reading import read_profile
from tests.lab.container import STRICT, started
from tests.lab.engine import Engine

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.xdist_group("image")]

MIB = 1024 * 1024
STRANGER = "--user=54321:54321"
"""A user that the image has never heard of."""
LIMITS: dict[str, Any] = {"cpus": 0.5, "memory": "256m", "cpuset": "1", "pids": 100}
PYTHON = ["--entrypoint", "/opt/sitecap/bin/python"]
LOOK_S = 60

COMPILERS = ("as", "c++", "cc", "clang", "cmake", "cpp", "g++", "gcc", "ld", "make", "ninja", "tcc")


def profile(engine: Engine, image: str, *words: str, **options: Any) -> CapabilityProfile:
    done = engine.run(image, [*words], **options)
    assert done.returncode in (0, 1), done.stderr + done.stdout
    return read_profile(done.stdout.encode())


def inspected(engine: Engine, image: str) -> dict[str, Any]:
    (answer,) = json.loads(engine.cli("image", "inspect", image).stdout)
    found: dict[str, Any] = answer
    return found


def inside(engine: Engine, image: str, code: str) -> Any:
    """What a Python program in the image prints, as JSON."""
    done = engine.run(image, ["-I", "-c", code], extra=[*STRICT, *PYTHON])
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# -- the agent ---------------------------------------------------------------------------------------------


def test_the_strictest_container_gets_its_profile(podman: Engine, agent_image: str) -> None:
    """Read-only root without /tmp, no capability, a user without a name, no network, three limits."""
    found = profile(podman, agent_image, "probe", "--json", extra=[*STRICT, STRANGER], **LIMITS)

    facts = found.facts
    assert facts.context is not None
    assert facts.context.runtime == "podman"
    assert facts.cores is not None
    assert facts.cores.effective_cores == 0.5
    assert facts.memory is not None
    assert facts.memory.effective_bytes == 256 * MIB
    assert facts.container is not None
    assert facts.container.no_new_privs is True
    assert facts.container.effective_capabilities == ()
    assert facts.limits is not None
    assert min(level.limit for level in facts.limits.pids) == 100


def test_it_probes_as_an_ordinary_user_when_nothing_is_said(podman: Engine, agent_image: str) -> None:
    done = podman.run(agent_image, [])
    assert done.returncode in (0, 1), done.stderr
    assert re.search(r"^  ok +cpu ", done.stdout, re.MULTILINE)

    assert inspected(podman, agent_image)["Config"]["User"] == "10001:10001"


def test_the_kernels_compute_in_the_strictest_container(podman: Engine, agent_image: str) -> None:
    patient = replace(podman, timeout_s=400)
    found = profile(
        patient, agent_image, "bench", "--json", "--quiet", "--budget", "25", "--copies", "1", "pixeltrack",
        extra=[*STRICT, STRANGER], cpuset="1",
    )  # fmt: skip

    (result,) = found.payloads
    assert (result.kernel, result.variant) == ("pixeltrack", "scalar")
    assert result.physics.right
    assert result.events_per_s


def test_it_brings_code_for_gpus_and_no_compiler_of_it(podman: Engine, agent_image: str) -> None:
    code = (
        "import importlib.util, json\n"
        "from payloads.backends.embedded import ARCHITECTURES, PTX, embedded\n"
        "code = [embedded('pixeltrack', one) for one in (*ARCHITECTURES, PTX)]\n"
        "print(json.dumps([[one.architecture for one in code], importlib.util.find_spec('nvidia') is not None]))"
    )
    architectures, compiler = inside(podman, agent_image, code)
    assert {"sm_60", "sm_90", "sm_120", "compute_60"} <= set(architectures)
    assert not compiler


def test_all_that_is_installed_is_in_the_bill_of_materials(podman: Engine, agent_image: str) -> None:
    bill_matches(podman, agent_image)


def bill_matches(engine: Engine, image: str) -> None:
    where = inspected(engine, image)["Labels"]["sitecap.sbom"]
    code = (
        "import importlib.metadata as m, json, sys;"
        "print(json.dumps([[[d.name.lower().replace('_', '-'), d.version] for d in m.distributions()],"
        f" json.load(open({where!r}))]))"
    )
    installed, bill = inside(engine, image, code)

    listed = [*bill["components"], bill["metadata"]["component"]]
    assert bill["bomFormat"] == "CycloneDX"
    assert len(installed) > 5
    named = {(one["name"].lower().replace("_", "-"), one.get("version")) for one in listed}
    assert named == {tuple(one) for one in installed}


def test_neither_image_holds_a_compiler_or_an_installer(
    podman: Engine, agent_image: str, service_image: str
) -> None:
    code = (
        "import importlib.util as u, json, shutil;"
        f"print(json.dumps([[n for n in {COMPILERS!r} if shutil.which(n)],"
        " [n for n in ('pip', 'cmake', 'ninja', 'nanobind', 'scikit_build_core') if u.find_spec(n)]]))"
    )
    for image in (agent_image, service_image):
        assert inside(podman, image, code) == [[], []]


def test_nothing_of_the_product_can_be_changed_by_its_user(podman: Engine, agent_image: str) -> None:
    code = (
        "import json, os;"
        "print(json.dumps([os.path.join(f, n) for f, d, ns in os.walk('/opt/sitecap') for n in [*d, *ns]"
        " if not os.path.islink(os.path.join(f, n)) and os.access(os.path.join(f, n), os.W_OK)]))"
    )
    done = podman.run(agent_image, ["-I", "-c", code], extra=PYTHON)
    assert json.loads(done.stdout) == []


def test_the_labels_say_what_it_is(podman: Engine, agent_image: str, service_image: str) -> None:
    for image, title in ((agent_image, "sitecap agent"), (service_image, "sitecap capacity service")):
        labels = inspected(podman, image)["Labels"]
        own = {name.removeprefix("org.opencontainers.image."): value for name, value in labels.items()}
        assert own["title"] == title
        assert own["licenses"] == "Apache-2.0"
        assert own["base.name"].startswith("localhost/sitecap-lab/python-slim:")
        (version,) = podman.run(image, ["--version"]).stdout.split()[-1:]
        assert own["version"] == version
        assert len(own["revision"].removesuffix("-dirty")) == 40 or own["revision"] == "unknown"


# -- the service -------------------------------------------------------------------------------------------


def test_the_service_is_healthy_in_the_strictest_container(podman: Engine, service_image: str) -> None:
    """Its database lies in its volume; a user of the platform's own choice has group 0."""
    confined = [*STRICT, "--tmpfs=/tmp:rw,size=64m", "--memory=768m", "--pids-limit=200", "--user=54321:0"]
    with started(podman, service_image, (), *confined) as service:
        healthy = lambda: podman.cli("healthcheck", "run", service.name).returncode == 0  # noqa: E731
        service.until("health", healthy, LOOK_S)
        made = podman.cli("exec", service.name, "capacity", "token", "create", "--role=read")
        token = made.stdout.split()[-1]
        asked = service.python(
            "import urllib.request as u, json;"
            f"get = lambda p: u.Request('http://127.0.0.1:8443' + p, headers={{'Authorization': 'Bearer {token}'}});"
            "print(json.dumps([u.urlopen(get(p)).status for p in ('/readyz', '/', '/metrics')]))"
        )
        assert asked == [200, 200, 200], service.log


def test_a_stranger_who_may_not_write_the_database_is_told_so(podman: Engine, service_image: str) -> None:
    done = podman.run(service_image, ["serve"], extra=[*STRICT, STRANGER])
    assert done.returncode == 4
    assert "unable to open database file" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_bill_of_materials_of_the_service_is_whole(podman: Engine, service_image: str) -> None:
    bill_matches(podman, service_image)
