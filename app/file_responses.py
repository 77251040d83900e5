"""Answers that are files: written as the command line writes them, and sent under a name."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from fastapi import Response


def file_answer(
    write: Callable[[Path], None], *, name: str, media_type: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Return what `write` puts into a file, to be saved under `name`."""
    said = {**(headers or {}), "Content-Disposition": disposition(name)}
    return Response(written(write), media_type=media_type, headers=said)


def written(write: Callable[[Path], None]) -> bytes:
    """Return what `write` puts into a file."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        write(path)
        return path.read_bytes()


def disposition(name: str) -> str:
    """Return the header that names a file to be saved, after RFC 6266: in ASCII for old readers, and as it is."""
    plain = "".join(letter if letter.isascii() and letter.isprintable() else "_" for letter in name)
    plain = plain.replace("\\", "_").replace('"', "_")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def file_contract(media_types: Iterable[str]) -> dict[int | str, dict[str, Any]]:
    """Return what the contract says of a route that answers files of these types."""
    return {200: {"content": {kind: {"schema": {"type": "string"}} for kind in media_types}}}
