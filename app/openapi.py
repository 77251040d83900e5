"""Writes the two contracts in docs/: ``python -m neuromfa.app.openapi`` after a change of routes or records."""

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from neuromfa.app.main import create_app
from neuromfa.app.settings import Settings
from neuromfa.results import SeriesResult

DOCS = Path(__file__).resolve().parents[1] / "docs"


def openapi_document() -> dict[str, Any]:
    """Return what the service answers at /openapi.json."""
    return create_app(Settings.model_construct()).openapi()


def result_schema() -> dict[str, Any]:
    """Return the JSON schema of what ``analyze --json`` writes."""
    schema = TypeAdapter(SeriesResult).json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def documents() -> dict[Path, str]:
    """Return the text of each document by the file it stands in."""
    contents = {"openapi.json": openapi_document(), "result.schema.json": result_schema()}
    return {DOCS / name: json.dumps(content, indent=1) + "\n" for name, content in contents.items()}


def main() -> None:
    """Write both."""
    for path, text in documents().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
