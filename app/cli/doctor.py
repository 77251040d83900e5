"""`neuromfa doctor`: what is here, what is missing and how to get it."""

import shutil
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from rich.table import Table
from rich.text import Text

from neuromfa.app.cli.options import AsJson, DataDir
from neuromfa.app.cli.output import console, write_json
from neuromfa.app.settings import Settings, load_settings
from neuromfa.errors import MissingExtra, NeuroMFAError, StoreUnavailable
from neuromfa.extras import EXTRA_OF, install_line
from neuromfa.servers import neo4j_assembly
from neuromfa.versions import versions

WITHOUT = {
    "neo4j": "no store",
    "arcadedb_embedded": "no embedded store, only a Neo4j server",
    "networkx": "no GraphML, GEXF and node-link files",
    "fastapi": "no REST and no page",
    "pyarrow": "no Parquet and Arrow files",
    "numba": "multi-hop distances come slower",
    "vl_convert": "no chart files from the command line",
    "torch": "no live training, no `make series`",
    "distributed": "no cluster",
}
NOT_REACHABLE = "not reachable"
LOW_DISK_GB = 2.0


@dataclass(frozen=True)
class Check:
    """One thing looked at: whether all is well, what was found, and what to do otherwise."""

    name: str
    good: bool
    found: str
    advice: str = ""


def doctor(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show versions, whether the store answers, its schema, disk, and what is missing with how to get it."""
    settings = load_settings(data_dir=data_dir)
    store = _store(settings)
    checks = [
        *(Check(name, True, found) for name, found in versions().items() if name not in WITHOUT),
        *(_module(name, without) for name, without in WITHOUT.items()),
        _neo4j_home(),
        _disk(settings.data_dir),
        *store,
    ]
    if as_json:
        write_json(checks, "-")
    else:
        _print(checks)
    broken = [check for check in store if check.found == NOT_REACHABLE]
    if broken:
        raise StoreUnavailable(broken[0].advice)


def _store(settings: Settings) -> list[Check]:
    try:
        from neuromfa.app.open_store import open_store

        with open_store(settings, prepare=False) as store:
            found = store.versions()
            schema = f"{found['schema_version']} of {found['schema_version_known']}"
            return [
                Check("store", True, f"{found['server']} at {found['address']}, schema {schema}"),
                _size(settings, store.counts()),
            ]
    except MissingExtra as error:
        return [Check("store", False, "not installed", str(error))]
    except NeuroMFAError as error:
        return [Check("store", False, NOT_REACHABLE, str(error))]


def _size(settings: Settings, counts: dict[str, int]) -> Check:
    """Return how much the store holds; of one in a folder of this machine also its bytes on disk."""
    held = ", ".join(f"{count:,} {kind}" for kind, count in counts.items())
    folder = None if settings.neo4j_uri else settings.data_dir
    if folder is None or not folder.is_dir():
        return Check("held", True, held)
    return Check("held", True, f"{held}; {sum(map(_bytes, folder.rglob('*'))) / 1e6:,.0f} MB in {folder}")


def _bytes(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except FileNotFoundError:  # a server at work removes files under our eyes
        return 0


def _module(name: str, without: str) -> Check:
    if find_spec(name) is not None:
        return Check(name, True, "installed")
    return Check(name, False, "not installed", f"{without}; {install_line(EXTRA_OF[name])}")


def _neo4j_home() -> Check:
    home = neo4j_assembly.home_folder()
    if neo4j_assembly.is_assembled(home):
        return Check("neo4j home", True, str(home))
    return Check("neo4j home", False, "not assembled", "only for `make neo4j` and tests: make neo4j-home")


def _disk(folder: Path) -> Check:
    existing = next(path for path in (folder, *folder.resolve().parents) if path.exists())
    free = shutil.disk_usage(existing).free / 1e9
    return Check(
        "disk", free > LOW_DISK_GB, f"{free:.1f} GB free at {folder}", "the store needs room to grow"
    )


def _print(checks: list[Check]) -> None:
    table = Table("what", "", "found", "what to do")
    for check in checks:
        mark = Text("ok", "green") if check.good else Text("--", "yellow")
        table.add_row(check.name, mark, check.found, "" if check.good else check.advice)
    console.print(table)
