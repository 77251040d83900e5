"""The process of the embedded store: an ArcadeDB server on loopback Bolt that leaves when nobody needs it.

It is run as a script by `neuromfa.servers.arcadedb_server`, which holds the other ends of its locks; it
imports nothing of this project that would load numpy or a driver. Arguments: the store's folder, a file
descriptor to report on, and a JSON object with heap, idle_s, command_timeout_ms.
"""

import contextlib
import json
import os
import secrets
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from file_lock import FileLock  # type: ignore[import-not-found]  # noqa: E402
from ports import LOOPBACK, free_ports, is_free  # type: ignore[import-not-found]  # noqa: E402

DATABASE = "neuromfa"
WRITER, READER = "root", "reader"
LOOK_S = 0.25
START_TRIES = 3
WILDCARD = "*"
GROUPS = {
    "version": 2,
    "databases": {
        WILDCARD: {
            "groups": {
                "admin": {
                    "resultSetLimit": -1,
                    "readTimeout": -1,
                    "access": ["updateSecurity", "updateSchema", "updateDatabaseSettings"],
                    "types": {
                        WILDCARD: {"access": ["createRecord", "readRecord", "updateRecord", "deleteRecord"]}
                    },
                },
                READER: {
                    "resultSetLimit": -1,
                    "readTimeout": -1,
                    "access": [],
                    "types": {WILDCARD: {"access": ["readRecord"]}},
                },
                WILDCARD: {
                    "resultSetLimit": -1,
                    "readTimeout": -1,
                    "access": [],
                    "types": {WILDCARD: {"access": []}},
                },
            }
        }
    },
}


def main() -> None:
    """Run the server until nobody holds the users' lock or somebody asks it to stop."""
    folder, report, settings = Path(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])
    if os.fork():  # the caller is no parent: it has nobody to reap, and leaving it behind is no zombie
        os._exit(0)
    stop = threading.Event()
    with FileLock(folder / "server.lock") as alive:
        if not alive.wait(seconds=10):
            _say(report, "another process is the server of this folder")
            os._exit(1)
        server = _start(folder, report, settings)
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _watch(folder, stop, idle_s=settings["idle_s"])
        with contextlib.suppress(FileNotFoundError):
            (folder / "server.json").unlink()
        server.stop()
        os._exit(0)  # the JVM's own tear-down inside a Python process may crash; all is closed by now


def _start(folder: Path, report: int, settings: dict[str, Any]) -> Any:
    """Start the server, write its state file and report it ready; on failure report why and leave."""
    try:
        server, state = _started_server(folder, settings)
        write_private(folder / "server.json", json.dumps(state))
    except BaseException as error:
        _say(report, f"{type(error).__name__}: {error}")
        os._exit(1)
    _say(report, "ready")
    return server


def _say(report: int, line: str) -> None:
    """Tell the starter, who may be gone."""
    with contextlib.suppress(OSError):
        os.write(report, line.encode()[:4000])
        os.close(report)


def write_private(path: Path, text: str) -> None:
    """Replace a file at once, readable by its owner only."""
    draft = path.with_suffix(".draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    draft.replace(path)


def _started_server(folder: Path, settings: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Start on the ports of last time where they are free, so that an open driver finds the server again."""
    secret = _secrets(folder)
    for attempt in range(START_TRIES):
        ports = _ports(secret.get("ports"), fresh=attempt > 0)
        try:
            server = _arcadedb(folder, secret["root"], ports, settings)
            _prepare(server, secret["reader"])
        except Exception:
            if attempt == START_TRIES - 1:
                raise
            continue
        write_private(folder / "secrets.json", json.dumps(secret | {"ports": ports}))
        state = {"pid": os.getpid(), "bolt": ports[0], "http": ports[1], "database": DATABASE}
        return server, state | {"writer": [WRITER, secret["root"]], "reader": [READER, secret["reader"]]}
    raise AssertionError


def _secrets(folder: Path) -> dict[str, Any]:
    """Return the random passwords of this folder; the server makes its users of them at every start."""
    path = folder / "secrets.json"
    with contextlib.suppress(FileNotFoundError, ValueError):
        found = json.loads(path.read_text())
        if {"root", "reader"} <= set(found):
            return dict(found)
    return {"root": secrets.token_urlsafe(24), "reader": secrets.token_urlsafe(24)}


def _ports(last: list[int] | None, *, fresh: bool) -> list[int]:
    """Return the Bolt and the HTTP port."""
    if last and not fresh and all(is_free(port) for port in last):
        return last
    found: list[int] = free_ports(2)
    return found


def _arcadedb(folder: Path, password: str, ports: list[int], settings: dict[str, Any]) -> Any:
    """Start the server, listening on loopback only; a failed start leaves nothing running."""
    from arcadedb_embedded.server import ArcadeDBServer

    config = folder / "config"
    config.mkdir(exist_ok=True, mode=0o700)
    (config / "server-users.jsonl").unlink(missing_ok=True)
    write_private(config / "server-groups.json", json.dumps(GROUPS))
    server = ArcadeDBServer(
        root_path=str(folder),
        root_password=password,
        config={
            "host": LOOPBACK,
            "http_port": str(ports[1]),
            "bolt_port": ports[0],
            "bolt_defaultDatabase": DATABASE,
            "mode": "production",
            "server_plugins": "Bolt:com.arcadedb.bolt.BoltProtocolPlugin",
            "server_logsDirectory": str(folder / "log"),
            "opencypher_loadCsv_allowFileUrls": False,
            "opencypher_loadCsv_allowRemoteUrls": False,
        },
        # -Xrs: signals belong to this script, not to the JVM
        jvm_kwargs={"heap_size": settings["heap"], "jvm_args": "-XX:+UseSerialGC -Xrs"},
    )
    _limit_commands(int(settings["command_timeout_ms"]))
    server.start()
    return server


def _limit_commands(milliseconds: int) -> None:
    """Bound every query; databases take this from the JVM's settings, not from the server's."""
    import jpype

    jpype.JClass("com.arcadedb.GlobalConfiguration").COMMAND_TIMEOUT.setValue(milliseconds)


def _prepare(server: Any, reader_password: str) -> None:
    """Make the database, and the user that may only read."""
    import jpype

    server.create_database(DATABASE)
    security = server._java_server.getSecurity()
    user = {
        "name": READER,
        "databases": {DATABASE: [READER]},
        "password": security.encodePassword(reader_password),
    }
    text = json.dumps(user | {"password": str(user["password"])})
    security.createUser(jpype.JClass("com.arcadedb.serializer.json.JSONObject")(text))


def _watch(folder: Path, stop: threading.Event, *, idle_s: float) -> None:
    """Return when asked to stop, when the folder is gone, or with the users' lock when nobody is left."""
    users = FileLock(folder / "users.lock")
    alone_since: float | None = None
    while not stop.wait(LOOK_S) and not users.orphaned():
        if not users.take():
            alone_since = None
            continue
        alone_since = alone_since or time.monotonic()
        if time.monotonic() - alone_since >= idle_s:
            return  # with the lock held: whoever comes now waits until this process is gone
        users.release()


if __name__ == "__main__":
    main()
