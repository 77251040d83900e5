"""One engine and one stack for all tests of containers, and at the end the figures they found."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from tests.compose import bases
from tests.compose.engine import Engine, running_engine

ROOT = Path(__file__).parents[2]
# images and their layers outlive a run; a folder a run may be thrown away at any time
KEPT = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "neuromfa" / "compose"
PROJECT = "neuromfa-test"
PORTS = {"API": 18000, "HTTP": 17474, "BOLT": 17687}
SERVICES = ("neo4j", "api", "worker")
PATIENCE_S = 300.0

figures: list[str] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show the figures."""
    if figures:
        terminalreporter.section("figures")
        for line in figures:
            terminalreporter.line(line)


@dataclass(frozen=True)
class Stack:
    """The compose project of the tests, with ports and images of their own."""

    engine: Engine
    secrets: Path
    project: str = PROJECT

    def compose(self, *command: str, check: bool = True) -> str:
        """Run `docker-compose`, of either version, on the project's own file."""
        settings = {
            "NEUROMFA_BASE_IMAGE": bases.PYTHON,
            "NEUROMFA_BUILD_IMAGE": bases.BUILD,
            "NEUROMFA_NEO4J_IMAGE": bases.NEO4J,
            "NEUROMFA_SECRETS": str(self.secrets),
            **{f"NEUROMFA_{name}_PORT": str(port) for name, port in PORTS.items()},
        }
        words = ("docker-compose", "--project-name", self.project, *command)
        return self.engine.run(*words, check=check, cwd=ROOT, **settings).stdout

    @cached_property
    def _joint(self) -> str:
        """What the first and the second version of compose put between the parts of a name."""
        said = self.engine.said("docker-compose", "version", "--short")
        return "_" if said.strip().lstrip("v").startswith("1.") else "-"

    def name(self, service: str) -> str:
        """Return the name of a service's container."""
        return self._joint.join((self.project, service, "1"))

    def container(self, service: str) -> dict[str, Any]:
        """Return what the engine knows of a service's container."""
        return self.engine.inspect(self.name(service))

    def inside(self, service: str, *command: str, check: bool = True) -> str:
        """Run a command in a running container, as its user."""
        return self.engine.run("docker", "exec", self.name(service), *command, check=check).stdout.strip()

    def health(self, service: str) -> str:
        """Return `healthy`, `unhealthy` or `starting`; something else where it does not run."""
        state = self.container(service)["State"]
        return str(state["Health"]["Status"] if state["Running"] else state["Status"])

    def healthy_within(self, seconds: float = PATIENCE_S, *, asked: tuple[str, ...] = SERVICES) -> float:
        """Wait until services are healthy; return how long it took."""
        begun = time.monotonic()
        while not all(self.health(service) == "healthy" for service in asked):
            took = time.monotonic() - begun
            assert took < seconds, {service: self.health(service) for service in asked}
            time.sleep(1)
        return time.monotonic() - begun

    def get(self, path: str, *, port: str = "API", **options: Any) -> tuple[int, str]:
        """Ask one of the published ports."""
        return self.engine.ask(f"http://127.0.0.1:{PORTS[port]}{path}", **options)

    def api_key(self) -> str:
        """Return the key as the documents say a person reads it."""
        return self.inside("api", "cat", "/run/secrets/service/api_key")


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """A running engine with the base images."""
    with running_engine(KEPT) as running:
        begun = time.monotonic()
        bases.make_bases(running)
        figures.append(f"base images: {time.monotonic() - begun:.0f} s")
        yield running


@pytest.fixture(scope="session")
def image(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack with its image built, and nothing started."""
    stack = Stack(engine, tmp_path_factory.mktemp("no-secrets"))
    begun = time.monotonic()
    stack.compose("build")
    figures.append(f"image: built in {time.monotonic() - begun:.0f} s")
    yield stack
    stack.compose("down", "--volumes", "--remove-orphans", check=False)


@pytest.fixture(scope="session")
def stack(image: Stack) -> Stack:
    """The stack, up and healthy, from nothing but the files of the project."""
    begun = time.monotonic()
    image.compose("up", "--detach")
    image.healthy_within()
    figures.append(f"up with nothing prepared: healthy in {time.monotonic() - begun:.0f} s")
    return image


def wait_for(holds: Callable[[], bool], *, seconds: float = PATIENCE_S) -> float:
    """Wait until something holds; return how long it took."""
    begun = time.monotonic()
    while not holds():
        assert time.monotonic() - begun < seconds
        time.sleep(1)
    return time.monotonic() - begun
