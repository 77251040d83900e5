"""Real servers for the tests of the store, started once: the embedded one, and a Neo4j where there is one."""

import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import neo4j
import pytest

from neuromfa.errors import StoreUnavailable
from neuromfa.graph import GraphStore, Limits, open_store
from neuromfa.servers.neo4j_assembly import chosen_release, find_java, home_folder, is_assembled
from neuromfa.servers.neo4j_server import Neo4jServer
from tests.requirements import missing

QUICK = Limits(query_s=30, longest_query_s=60, retry_s=3, lease_s=1.0)
PASSWORD = "neuromfa-tests"
SERVERS = [
    pytest.param("embedded", marks=pytest.mark.xdist_group("embedded")),
    pytest.param("neo4j", marks=[pytest.mark.neo4j, pytest.mark.xdist_group("neo4j")]),
]


@dataclass
class Server:
    """A running server and how tests reach it, also behind the store's back.

    Attributes
    ----------
    name : embedded or neo4j
    where : arguments of `open_store`
    neo4j : the process, where the tests started it
    """

    name: str
    where: dict[str, Any]
    neo4j: Neo4jServer | None = None

    def open(self, **options: Any) -> GraphStore:
        """Open the store as a program does."""
        return open_store(**{"limits": QUICK, **self.where, **options})

    def raw(self, text: str, **parameters: Any) -> list[list[Any]]:
        """Run any Cypher as the user that may do everything."""
        with self.open(prepare=False) as store:
            connection = store._connection
            with connection._session(reading=False) as session:
                return [list(record.values()) for record in session.run(text, parameters)]


@pytest.fixture(scope="session")
def embedded_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The embedded server, held open so that it is started once."""
    server = Server("embedded", {"data_dir": tmp_path_factory.mktemp("embedded")})
    with server.open():
        yield server


@pytest.fixture(scope="session")
def neo4j_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A Neo4j: the one the environment names, else one from the Maven-assembled home, else the tests are left out."""
    uri = os.environ.get("NEUROMFA_TEST_NEO4J_URI")
    if uri:
        password = os.environ.get("NEUROMFA_TEST_NEO4J_PASSWORD", "")
        user = os.environ.get("NEUROMFA_TEST_NEO4J_USER", "neo4j")
        yield Server("neo4j", {"uri": uri, "user": user, "password": password})
        return
    with own_neo4j(tmp_path_factory.mktemp("neo4j")) as server:
        yield server


@contextmanager
def own_neo4j(folder: Path, **settings: str) -> Iterator[Server]:
    """A Neo4j of this run's own, from the Maven-assembled home, else the tests are left out."""
    home = home_folder()
    if not is_assembled(home):
        missing("neo4j", f"no Neo4j {chosen_release().version} in {home}")
    try:
        find_java()
    except StoreUnavailable as error:
        missing("neo4j", str(error))
    _give_password(folder)
    with Neo4jServer(folder, home=home, password=PASSWORD, quick_start=True, settings=settings) as process:
        _keep_password(folder)
        yield Server("neo4j", {"uri": process.uri, "user": "neo4j", "password": PASSWORD}, process)


PASSWORD_FILES = ("dbms/auth.ini", ".password-set")
_password: dict[str, bytes] = {}


def _keep_password(folder: Path) -> None:
    """Keep the first password that was set in this run: to set it takes a JVM of its own."""
    if not _password:
        _password.update({name: (folder / "data" / name).read_bytes() for name in PASSWORD_FILES})


def _give_password(folder: Path) -> None:
    for name, text in _password.items():
        kept = folder / "data" / name
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(text)


@contextmanager
def new_server(kind: str, folder: Path) -> Iterator[Server]:
    """A server of a kind, embedded or neo4j, with nothing in it."""
    if kind == "embedded":
        yield Server(kind, {"data_dir": folder})
    else:
        with own_neo4j(folder) as server:
            yield server


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> Server:
    """Each of the two servers in turn."""
    found: Server = request.getfixturevalue(f"{request.param}_server")
    return found


@pytest.fixture
def store(server: Server) -> Iterator[GraphStore]:
    """An open store on each of the two servers in turn."""
    with server.open() as opened:
        yield opened


@pytest.fixture
def model(store: GraphStore) -> Iterator[str]:
    """A model of this test's own, with checkpoints at steps 0 and 8."""
    name = f"tests/mödel-{uuid.uuid4().hex[:8]}"
    store.write_model(name, source="made by a test")
    for step in (0, 8):
        store.write_checkpoint(name, step, revision=f"step{step}")
    yield name


@pytest.fixture
def fresh() -> str:
    """A hash nobody has."""
    return uuid.uuid4().hex


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A data folder of this test's own."""
    return tmp_path / "data"


def driver_of(store: GraphStore) -> neo4j.Driver:
    """Return the driver a store writes with."""
    driver: neo4j.Driver = store._connection._drivers[0]
    return driver


def wait_for(holds: Callable[[], bool], *, seconds: float = 60.0) -> bool:
    """Tell whether something comes true in time."""
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def has_ended(pid: int) -> bool:
    """Tell whether a process is gone, or only waits for its parent to notice."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True
