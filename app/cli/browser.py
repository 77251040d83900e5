"""`neuromfa browser`: a Neo4j with the bundled series, for a person with the Neo4j Browser."""

import os
import secrets
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from neuromfa.app.cli.demo import bundled_series
from neuromfa.app.cli.ingest import told
from neuromfa.app.cli.options import Jobs, Steps
from neuromfa.app.cli.output import Progress, console, messages
from neuromfa.app.neo4j_browser.guide import guide_queries
from neuromfa.app.neo4j_browser.site import Places, Site, create_site
from neuromfa.app.settings import load_settings
from neuromfa.errors import OptionError, StoreConflict, StoreUnavailable
from neuromfa.graph import GraphStore, open_store
from neuromfa.ingest.executors import open_executor
from neuromfa.ingest.ingest import ingest
from neuromfa.ingest.request import IngestRequest
from neuromfa.servers.file_lock import FileLock
from neuromfa.servers.neo4j_assembly import assemble, home_folder, is_assembled
from neuromfa.servers.neo4j_server import USER, Neo4jServer
from neuromfa.servers.ports import LOOPBACK, free_ports

SERIES = "stdlib-14m"
PORT, BOLT_PORT = 7475, 7688  # not 7474 and 7687, where another Neo4j may well be
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def browser(
    data_dir: Annotated[
        Path | None, typer.Option(help="Folder of this Neo4j [neo4j in NEUROMFA_DATA_DIR].")
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the Browser, 0 for a free one.")
    ] = PORT,
    bolt_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of Neo4j itself, 0 for a free one.")
    ] = BOLT_PORT,
    steps: Steps = "all",
    jobs: Jobs = 1,
) -> None:
    """Run a Neo4j with the bundled series, and the Neo4j Browser with style, saved queries and a guide."""
    folder = (data_dir or load_settings().data_dir / "neo4j").absolute()
    series = bundled_series(SERIES)
    with _interruptible(), _alone_in(folder), _listener(port) as listener:
        home = _assembled()
        places = Places(
            jar=_browser_jar(home),
            port=listener.getsockname()[1],
            bolt_port=bolt_port or free_ports(1)[0],
            user=USER,
        )
        password = _password(folder)
        with _neo4j(folder, home, password, places) as server, Site(create_site(places), listener):
            _fill(server, series, steps=steps, jobs=jobs)
            with suppress(KeyboardInterrupt):
                for line in _welcome(places, password):
                    console.print(line, soft_wrap=True)
                server.wait()
                raise StoreUnavailable(f"Neo4j ended by itself; {server.log} says why")


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let the first signal interrupt; later ones do not disturb the way out, on which Neo4j is stopped."""

    def interrupt(_: int, __: FrameType | None) -> None:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Hold the folder; two servers on one store would destroy it."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = FileLock(folder / "lock")
    except OSError as error:
        raise OptionError(f"cannot use {folder} as a data folder: {error.strerror}") from None
    with lock:
        if not lock.take():
            raise StoreConflict(
                f"another `neuromfa browser` runs in {folder}: use that one, or choose another --data-dir"
            )
        yield


def _listener(port: int) -> socket.socket:
    try:
        return socket.create_server((LOOPBACK, port))
    except OSError as error:
        raise OptionError(
            f"cannot listen on {LOOPBACK}:{port}: {error.strerror}; stop what runs there or choose another --port"
        ) from None


def _assembled() -> Path:
    home = home_folder()
    if is_assembled(home):
        return home
    with messages.status(
        f"fetching Neo4j and its Browser from Maven Central into {home} (137 MB, only once)"
    ):
        return assemble(home)


def _browser_jar(home: Path) -> Path:
    jars = sorted((home / "lib").glob("neo4j-browser-*.jar"))
    if not jars:
        raise StoreUnavailable(
            f"the Neo4j Browser is not in {home / 'lib'}: delete that folder and run `make neo4j-home`"
        )
    return jars[-1]


def _password(folder: Path) -> str:
    """Return the password of this folder's Neo4j, made at random at its first start."""
    path = folder / "password"
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        pass
    if (folder / "data" / ".password-set").exists():
        raise StoreUnavailable(
            f"{path} is gone and the Neo4j in {folder} keeps its old password: put the file back, or delete the folder"
        )
    password = secrets.token_urlsafe(16)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(password + "\n")
    return password


@contextmanager
def _neo4j(folder: Path, home: Path, password: str, places: Places) -> Iterator[Neo4jServer]:
    settings = {
        "browser.post_connect_cmd": places.after_connecting,
        "browser.remote_content_hostname_whitelist": "localhost",
        "client.allow_telemetry": "false",
    }
    server = Neo4jServer(folder, home=home, password=password, bolt_port=places.bolt_port, settings=settings)
    try:
        with messages.status("starting Neo4j"):
            server.start()
        yield server
    finally:
        with messages.status("stopping Neo4j"):
            server.stop()


def _fill(server: Neo4jServer, series: Path, *, steps: str, jobs: int) -> None:
    """Bring the series into this Neo4j; what stands there already is left alone."""
    user, password = server.auth
    request = IngestRequest(source=str(series), steps=steps)
    with open_store(uri=server.uri, user=user, password=password) as store:
        with open_executor(jobs=jobs) as executor, Progress(SERIES) as progress:
            summary = ingest(request, store, executor=executor, report=progress.update)
        messages.print(told(summary))
        with messages.status("preparing the queries of the guide"):
            _plan(store)


def _plan(store: GraphStore) -> None:
    """Run the queries of the guide once: planning one takes the server far longer than answering it."""
    for text in guide_queries():
        store.read(lambda transaction, text=text: transaction.rows_of(text, {}))  # type: ignore[misc]


def _welcome(places: Places, password: str) -> list[str]:
    return [
        f"Neo4j Browser, connected, with style, saved queries and guide: {places.opening(password)}",
        f"Neo4j itself: {places.bolt}   user {places.user}   password {password}   (Ctrl-C stops both)",
    ]
