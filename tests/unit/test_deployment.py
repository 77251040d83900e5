"""Dockerfile and docker-compose.yml: valid, without defaults for secrets, and with the commands that are tested."""

import json
import re
import subprocess
import tomllib
from pathlib import Path

import jsonschema
import pytest
import yaml

from neuromfa.app.cli.main import COMMANDS
from neuromfa.app.cli.worker import write_alive
from neuromfa.app.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]


def test_compose_file_is_valid() -> None:
    schema = json.loads((ROOT / "tests/data/compose/compose-spec.json").read_text())
    jsonschema.Draft201909Validator(schema).validate(COMPOSE)


def test_services_start_one_after_the_other() -> None:
    assert set(SERVICES) == {"init", "neo4j", "api", "worker", "demo"}
    assert SERVICES["neo4j"]["depends_on"] == {"init": {"condition": "service_completed_successfully"}}
    for name in ("api", "worker", "demo"):
        assert SERVICES[name]["depends_on"] == {"neo4j": {"condition": "service_healthy"}}
        assert SERVICES[name]["read_only"] is True


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_bounded(name: str) -> None:
    service = SERVICES[name]
    assert {"mem_limit", "cpus", "pids_limit", "logging", "cap_drop", "security_opt", "restart"} <= set(
        service
    )
    assert service["healthcheck"], "each says when it is healthy, or that nobody asks"


def test_bases_are_pinned_to_a_patch_release() -> None:
    named = re.findall(r"^ARG BASE_IMAGE=(.*)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    named += re.findall(r"_IMAGE:-(.*?)}", (ROOT / "docker-compose.yml").read_text())
    assert len(named) == 4
    assert all(re.search(r":\d+\.\d+\.\d+-", image) for image in named), named


def test_every_variable_of_the_compose_file_is_documented() -> None:
    used = set(re.findall(r"\$\{(NEUROMFA_\w+)", (ROOT / "docker-compose.yml").read_text()))
    documented = set(re.findall(r"`(NEUROMFA_\w+)`", (ROOT / "docs/docker.md").read_text()))
    assert used == documented


def test_ports_are_bound_to_loopback() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_no_secret_has_a_default() -> None:
    values = [
        value
        for service in SERVICES.values()
        for name, value in service.get("environment", {}).items()
        if re.search("PASSWORD|AUTH|KEY", name)
    ]
    assert values
    assert all(value.startswith("/run/secrets/") for value in values)


@pytest.mark.parametrize("name", ["api", "worker"])
def test_commands_exist_and_settings_are_known(name: str) -> None:
    program, command = SERVICES[name]["command"]
    assert program == "neuromfa"
    assert command in COMMANDS
    known = {PREFIX + field.upper() for field in Settings.model_fields}
    assert set(SERVICES[name]["environment"]) <= known


def test_the_check_of_the_worker_reads_what_the_worker_writes(tmp_path: Path) -> None:
    kind, check = SERVICES["worker"]["healthcheck"]["test"]
    named = SERVICES["worker"]["environment"]["NEUROMFA_WORKER_ALIVE_FILE"]
    assert kind == "CMD-SHELL" and named in check
    place = tmp_path / "alive"
    command = check.replace("$$", "$").replace(named, str(place))

    def code() -> int:
        return subprocess.run(["sh", "-c", command], check=False, capture_output=True).returncode

    assert code() != 0, "nothing was written yet"
    write_alive(place, 60)
    assert code() == 0
    write_alive(place, -1)
    assert code() != 0
    assert list(tmp_path.iterdir()) == [place]


def test_image_installs_the_pinned_requirements_and_runs_unprivileged() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert "-r requirements/service.txt" in text
    assert re.search(r"^USER 10001$", text, re.MULTILINE)
    assert 'CMD ["neuromfa", "serve"]' in text


@pytest.mark.parametrize(
    ("file", "extras"),
    [
        ("base", ()),
        ("service", ("neo4j", "service", "arrow")),
        ("demo", ("neo4j", "service", "arrow", "store")),
        ("dev", ("neo4j", "service", "arrow", "store", "fast", "plots", "dask", "dev")),
        ("torch", ("torch",)),
    ],
)
def test_pins_cover_what_is_declared(file: str, extras: tuple[str, ...]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = list(project["dependencies"]) if file != "torch" else []
    declared += [line for extra in extras for line in project["optional-dependencies"][extra]]
    names = {_plain(re.split(r"[<>=!\[]", line)[0]) for line in declared} - {"neuromfa"}
    assert names <= _pinned(file)


def test_the_image_and_the_base_have_no_java_and_the_base_no_server() -> None:
    assert not {"arcadedb-embedded", "jpype1"} & _pinned("service")
    assert not {"fastapi", "uvicorn", "neo4j", "pyarrow", "networkx", "prometheus-client"} & _pinned("base")


def _pinned(file: str) -> set[str]:
    """Return the names that a file of requirements pins, with those of the files it takes in."""
    lines = (ROOT / "requirements" / f"{file}.txt").read_text().splitlines()
    own = {_plain(line.split("==")[0]) for line in lines if "==" in line}
    included = [line.split()[1].removesuffix(".txt") for line in lines if line.startswith("-r ")]
    return own.union(*map(_pinned, included))


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")


def test_requirements_name_no_address() -> None:
    for path in (ROOT / "requirements").iterdir():
        assert "://" not in path.read_text(), path
