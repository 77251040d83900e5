"""`docker compose up` for real: comes up with nothing prepared, does its work, and survives what kills containers.

The tests stand in the order of a stack's life and each leaves it healthy; each can also be run alone.
"""

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from tests.compose import bases
from tests.compose.conftest import SERVICES, Stack, figures, wait_for

pytestmark = [pytest.mark.compose, pytest.mark.timeout(1200)]

SERIES = "/checkpoints/stdlib-14m"
MODEL = "stdlib-14m"
MEBI = 1024**2
LARGEST_GROWTH_MB = 470
# enough steps that a worker can be killed in the middle, each measured in about a second
JOB = {"source": SERIES, "model_id": "of-a-job", "options": {"samples": 4, "nodes": 32}}


def post(stack: Stack, path: str, body: Any, *, key: str | None) -> tuple[int, Any]:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
    status, text = stack.get(path, method="POST", headers=headers, body=json.dumps(body))
    return status, json.loads(text)


def get_json(stack: Stack, path: str) -> Any:
    status, text = stack.get(path)
    assert status == 200, text
    return json.loads(text)


def stored(stack: Stack) -> dict[str, Any]:
    """What the service knows, without times."""
    models = get_json(stack, "/v1/models")["items"]
    curves = {model["id"]: get_json(stack, f"/v1/models/{model['id']}/emergence") for model in models}
    return {"models": models, "curves": curves}


def job(stack: Stack, id: str) -> dict[str, Any]:
    return dict(get_json(stack, f"/v1/jobs/{id}"))


# the image


def test_the_image_holds_what_compose_uses_and_nothing_else(image: Stack) -> None:
    engine = image.engine
    growth = (engine.inspect("neuromfa:0.1.0")["Size"] - engine.inspect(bases.PYTHON)["Size"]) / 1e6
    run = ("docker", "run", "--rm", "--entrypoint", "sh", "neuromfa:0.1.0", "-c")
    sizes = engine.said(*run, "du -sm /opt/neuromfa/lib/python3*/site-packages/* | sort -rn | head -12")
    packages = [(line.split()[0], line.rsplit("/", 1)[1]) for line in sizes.splitlines()]
    figures.append(f"image above its base: {growth:.0f} MB; " + ", ".join(f"{n} {mb}" for mb, n in packages))
    assert growth <= LARGEST_GROWTH_MB
    absent = "for name in java gcc cc pip pip3 make git; do command -v $name && echo found; done; true"
    assert "found" not in engine.said(*run, f"PATH=/opt/neuromfa/bin; {absent}")
    gone = "import importlib.util as u; print([n for n in ('arcadedb_embedded', 'jpype', 'pip') if u.find_spec(n)])"
    assert engine.said(*run, f'/opt/neuromfa/bin/python -I -c "{gone}"') == "[]"


def test_the_installed_package_is_the_one_imported(image: Stack) -> None:
    where = (
        "import neuromfa.app.main, neuromfa.ingest.worker as w; print(neuromfa.app.main.__file__, w.__file__)"
    )
    found = image.engine.said("docker", "run", "--rm", "neuromfa:0.1.0", "python", "-c", where)
    assert all(path.startswith("/opt/neuromfa/lib/") for path in found.split())
    assert image.engine.said("docker", "run", "--rm", "neuromfa:0.1.0", "ls", "-A", ".") == ""


# coming up


def test_it_comes_up_with_nothing_prepared(stack: Stack) -> None:
    assert get_json(stack, "/readyz")["status"] == "ready"
    assert '<html lang="en">' in stack.get("/")[1]
    assert "Neo4j Browser" in stack.get("/browser/", port="HTTP")[1]
    init = stack.container("init")
    assert (init["State"]["Status"], init["State"]["ExitCode"]) == ("exited", 0)


def test_each_secret_is_readable_for_the_one_user_that_needs_it(stack: Stack) -> None:
    assert re.fullmatch(r"[0-9a-f]{48}", stack.api_key())
    assert stack.inside("api", "cat", "/run/secrets/service/neo4j_auth").startswith("neo4j/")
    assert "Permission denied" in stack.inside("api", "cat", "/run/secrets/neo4j/auth", check=False)
    assert "Permission denied" in stack.inside("neo4j", "cat", "/run/secrets/service/api_key", check=False)
    for service in SERVICES:
        told = json.dumps(stack.container(service)["Config"])
        assert stack.api_key() not in told
        assert stack.inside("api", "cat", "/run/secrets/service/neo4j_auth").split("/")[1] not in told


@pytest.mark.parametrize("service", SERVICES)
def test_every_container_is_bounded(stack: Stack, service: str) -> None:
    found = stack.container(service)
    host = found["HostConfig"]
    assert host["Memory"] >= 1000 * MEBI and host["NanoCpus"] > 0 and host["PidsLimit"] > 0
    assert host["LogConfig"] == {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}}
    assert host["CapDrop"] == ["ALL"] and host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert stack.inside(service, "id", "-u") == {"neo4j": "7474"}.get(service, "10001")
    assert stack.inside(service, "sh", "-c", "grep CapEff /proc/1/status").split()[1] == "0" * 16
    bound = [place["HostIp"] for places in (host["PortBindings"] or {}).values() for place in places]
    assert set(bound) <= {"127.0.0.1"}
    assert host["ReadonlyRootfs"] is (service != "neo4j")


def test_writes_want_the_key(stack: Stack) -> None:
    assert post(stack, "/v1/jobs", JOB, key=None)[0] == 401
    assert post(stack, "/v1/jobs", JOB, key="x" * 48)[0] in (401, 403)


def test_the_demo_measures_the_bundled_series(stack: Stack) -> None:
    begun = time.monotonic()
    stack.compose("--profile", "demo", "run", "--rm", "demo")
    figures.append(f"demo: {time.monotonic() - begun:.0f} s")
    models = {model["id"] for model in get_json(stack, "/v1/models")["items"]}
    assert models >= {"stdlib-14m", "stdlib-14m-decay1", "stdlib-14m-shuffled"}
    curve = get_json(stack, f"/v1/models/{MODEL}/emergence")["items"]
    assert len(curve) >= 6 and curve[-1]["emergence"]["value"] is not None


# staying up


def test_a_worker_that_stands_still_is_not_healthy(stack: Stack) -> None:
    check = stack.container("worker")["Config"]["Healthcheck"]["Test"][1]
    assert stack.inside("worker", "sh", "-c", f"{check} && echo alive") == "alive"
    stack.engine.send("STOP", stack.name("worker"))
    try:
        waited = wait_for(
            lambda: "alive" not in stack.inside("worker", "sh", "-c", f"{check} && echo alive", check=False)
        )
    finally:
        stack.engine.send("CONT", stack.name("worker"))
    figures.append(f"a stopped worker fails its check after {waited:.0f} s")
    stack.healthy_within()


def test_sigkill_of_each_container_loses_nothing(stack: Stack) -> None:
    status, queued = post(stack, "/v1/jobs", JOB, key=stack.api_key())
    assert status == 202
    wait_for(lambda: job(stack, queued["id"])["status"] != "queued")
    assert job(stack, queued["id"])["status"] == "running"
    before = get_json(stack, "/v1/models")["items"]
    for service in ("worker", "api", "neo4j"):
        killed = stack.container(service)["State"]["StartedAt"]
        stack.engine.send("KILL", stack.name(service))
        wait_for(lambda: stack.container(service)["State"]["StartedAt"] != killed)  # noqa: B023
        figures.append(f"SIGKILL of {service}: all healthy again after {stack.healthy_within():.0f} s")
    waited = wait_for(lambda: job(stack, queued["id"])["status"] not in ("queued", "running"))
    assert job(stack, queued["id"])["status"] == "done"
    figures.append(f"the job of the killed worker: done {waited:.0f} s after the last kill")
    assert {model["id"] for model in before} <= {
        model["id"] for model in get_json(stack, "/v1/models")["items"]
    }


def test_down_and_up_keeps_data_and_secrets(stack: Stack) -> None:
    before, key = stored(stack), stack.api_key()
    begun = time.monotonic()
    stack.compose("down")
    figures.append(f"down: {time.monotonic() - begun:.0f} s")
    begun = time.monotonic()
    stack.compose("up", "--detach")
    stack.healthy_within()
    figures.append(f"up again: healthy in {time.monotonic() - begun:.0f} s")
    assert (stored(stack), stack.api_key()) == (before, key)


def test_after_a_power_cut_it_comes_up_by_itself(stack: Stack) -> None:
    before, key = stored(stack), stack.api_key()
    stack.engine.cut()
    begun = time.monotonic()
    stack.engine.start()
    stack.healthy_within()
    figures.append(f"power cut: healthy {time.monotonic() - begun:.0f} s after the engine was started")
    assert (stored(stack), stack.api_key()) == (before, key)


# secrets


def test_both_secrets_can_be_changed(stack: Stack) -> None:
    key, auth = stack.api_key(), stack.inside("api", "cat", "/run/secrets/service/neo4j_auth")
    stack.compose("run", "--rm", "init", "python", "/opt/neuromfa/stack_secrets.py", "rotate")
    stack.compose("restart", "api", "worker")
    stack.healthy_within()
    assert stack.api_key() != key
    assert stack.inside("api", "cat", "/run/secrets/service/neo4j_auth") != auth
    assert post(stack, "/v1/jobs", JOB, key=key)[0] in (401, 403)
    status, queued = post(stack, "/v1/jobs", JOB, key=stack.api_key())
    assert status == 202
    assert job(stack, queued["id"])["status"] in ("queued", "running", "done")


def test_secrets_of_the_user_go_before_those_that_are_made(image: Stack, tmp_path: Path) -> None:
    for name, value in (
        ("neo4j_auth", "neo4j/a password of mine"),
        ("api_key", "a key of my own, long enough\n"),
    ):
        (tmp_path / name).write_text(value)
        (tmp_path / name).chmod(0o600)
    own = Stack(image.engine, tmp_path, project="neuromfa-own")
    read = "import pathlib as p; print([(f.read_text(), f.stat().st_uid, oct(f.stat().st_mode)) for f in "
    read += "sorted(p.Path('/run/secrets').glob('*/*'))])"
    try:
        own.compose("run", "--rm", "init")
        assert own.compose("run", "--rm", "init", "python", "-c", read).strip().splitlines()[-1] == str(
            [
                ("neo4j/a password of mine", 7474, "0o100400"),
                ("a key of my own, long enough", 10001, "0o100400"),
                ("neo4j/a password of mine", 10001, "0o100400"),
            ]
        )
        (tmp_path / "api_key").write_text("short")
        assert "secrets/api_key must have 16 characters" in own.compose("run", "--rm", "init", check=False)
    finally:
        own.compose("down", "--volumes", check=False)
