"""The optional parts of an installation: which package comes with which extra, and the line that installs one.

The project is on no index, so the line names the clone or the wheel this installation was made from, as its installer
wrote that down.
"""

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from shlex import quote
from shutil import which
from typing import Any
from urllib.parse import unquote, urlsplit

from neuromfa.errors import MissingExtra

EXTRA_OF = {
    "neo4j": "store",
    "networkx": "store",
    "arcadedb_embedded": "store",
    "jpype": "store",
    "fastapi": "service",
    "starlette": "service",
    "anyio": "service",
    "uvicorn": "service",
    "prometheus_client": "service",
    "jinja2": "service",
    "pyarrow": "arrow",
    "numba": "fast",
    "vl_convert": "plots",
    "ruptures": "changes",
    "torch": "torch",
    "transformers": "torch",
    "distributed": "dask",
}
"""Modules of the extras, by the name they are imported under."""


def load(module: str, *, what: str) -> Any:
    """Import a module of an extra.

    Raises
    ------
    MissingExtra : it is not installed; the sentence begins with `what`, such as ``a Parquet file``
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise explained(error, what=what) from None


@contextmanager
def not_loaded(*modules: str) -> Iterator[None]:
    """Keep modules from being imported in a block by what would use them if they are there, to no end here.

    Only those that are not loaded yet, and only while there is no other thread that could want them meanwhile.
    """
    names = [name for name in modules if name not in sys.modules] if threading.active_count() == 1 else []
    sys.modules.update(dict.fromkeys(names))  # type: ignore[arg-type]  # None is how Python marks what is not there
    try:
        yield
    finally:
        for name in names:
            del sys.modules[name]


def installed(module: str) -> bool:
    """Return whether a module of an extra is there, without loading it."""
    return find_spec(module) is not None


def explained(error: ModuleNotFoundError, *, what: str) -> ImportError:
    """Return what to raise for a module that was not found: `MissingExtra`, or the error itself if of no extra."""
    module = (error.name or "").partition(".")[0]
    return absent(module, what=what) if module in EXTRA_OF else error


def absent(module: str, *, what: str) -> MissingExtra:
    """Return the error that says what needs a module, which extra has it, and how that is installed."""
    extra = EXTRA_OF[module]
    return MissingExtra(f"{what} needs {module} of the extra {extra}: {install_line(extra)}", name=module)


def install_line(extra: str) -> str:
    """Return the command that adds an extra to this installation, whatever folder it is run in."""
    record = _record()
    editable = record.get("dir_info", {}).get("editable", False)
    return f"{_pip()} install {'-e ' if editable else ''}{quote(f'{_origin(record)}[{extra}]')}"


def _pip() -> str:
    """Return the pip of this environment: by its bare name only where a shell finds that one."""
    mine = Path(sys.executable).with_name("pip")
    return "pip" if which("pip") == str(mine) else f"{sys.executable} -m pip"


def _origin(record: dict[str, Any]) -> str:
    """Return the folder or wheel this was installed from; ``.``, for a clone one stands in, where it is gone."""
    url = urlsplit(record.get("url", ""))
    path = Path(unquote(url.path))
    return str(path) if url.scheme == "file" and path.exists() else "."


def _record() -> dict[str, Any]:
    """Return what the installer wrote down of where the project came from (``direct_url.json``)."""
    from importlib.metadata import distributions  # only for a message, and the slowest import here

    texts = (found.read_text("direct_url.json") for found in distributions(name="neuromfa"))
    return dict(json.loads(next(filter(None, texts), "{}")))
