"""The generated parts of docs/: written by ``make docs``, compared by a test."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from typer.core import TyperArgument, TyperCommand, TyperOption

from neuromfa.app import openapi
from neuromfa.app.api.questions import route_of
from neuromfa.app.cli.main import COMMANDS, load_command
from neuromfa.app.cli.pages import put_between
from neuromfa.app.pages.report import ReportData, report_of
from neuromfa.app.table_forms import TABLE
from neuromfa.checkpoints.architecture.files import BUNDLED, list_architectures
from neuromfa.checkpoints.architecture.schema import Architecture, schema
from neuromfa.questions import QUESTIONS, Question
from neuromfa.results import from_json

DOCS = Path(__file__).resolve().parents[2] / "docs"
COMMANDS_PAGE = DOCS / "commands.md"
REPORT = DOCS / "report" / "report.json"
ARCHITECTURE_SCHEMA = DOCS / "architecture.schema.json"
QUESTIONS_MARK, TABLES_MARK = "questions", "tables"
ARCHITECTURES_PAGE = DOCS / "architectures.md"
ARCHITECTURES_MARK, PROOF_MARK = "architectures", "rows and proof"
# tiny models that have another name than what they are read as
KEPT_AS = {"gpt2_lm": "gpt2"}
RECORDS = DOCS.parent / "tests" / "data"


def main() -> None:
    """Write the command reference, the tables of questions and architectures, and the contracts again."""
    COMMANDS_PAGE.write_text(commands_page(), encoding="utf-8")
    for page, lines in question_tables().items():
        put_between(page, QUESTIONS_MARK, lines)
    put_between(DOCS / "api.md", TABLES_MARK, table_addresses())
    for mark, lines in architecture_tables().items():
        put_between(ARCHITECTURES_PAGE, mark, lines)
    REPORT.with_suffix(".html").write_text(report_page(), encoding="utf-8")
    ARCHITECTURE_SCHEMA.write_text(json.dumps(schema(), indent=2) + "\n", encoding="utf-8")
    openapi.main()


def report_page() -> str:
    """Return the report of the bundled series from its numbers; `make report` measures them again."""
    return report_of(from_json(ReportData, REPORT.read_bytes()))


def question_tables() -> dict[Path, list[str]]:
    """Return the table of all questions for each page that has one, by the page."""
    asked = [f"| `{name}` | {kind.purpose()} | {_words(kind)} |" for name, kind in sorted(QUESTIONS.items())]
    routes = [
        f"| `{route_of(kind)}` | {kind.purpose()} |" for kind in sorted(QUESTIONS.values(), key=route_of)
    ]
    return {
        DOCS / "queries.md": ["| question | answers | words |", "|---|---|---|", *asked],
        DOCS / "api.md": ["| route | gives |", "|---|---|", *routes],
    }


def table_addresses() -> list[str]:
    """Return the addresses that are tables, each with the member of its JSON that has the rows."""
    paths = openapi.openapi_document()["paths"]
    rows = {path: found["get"][TABLE] for path, found in paths.items() if path.endswith(".{form}")}
    return ["| address | rows |", "|---|---|", *(f"| `{path}` | `{name}` |" for path, name in rows.items())]


def architecture_tables() -> dict[str, list[str]]:
    """Return the tables of the bundled architectures, made from their files and the records that prove them."""
    known, proofs = list_architectures(), _proofs()
    told = [f"| `{one.name}` | {one.title} | {_found_by(one)} | {one.layout} |" for one in known]
    rows = [
        f"| `{one.name}` | {_rows(one)} | {_skipped(one)} | {', '.join(proofs[one.name])} |" for one in known
    ]
    return {
        ARCHITECTURES_MARK: ["| file | family | `model_type` | layout |", "|---|---|---|---|", *told],
        PROOF_MARK: ["| file | rows (parts) | skipped besides | proved by |", "|---|---|---|---|", *rows],
    }


def _rows(known: Architecture) -> str:
    """Return the rows of a block in order, with their parts where there are several."""
    if known.blocks is None:
        return ", ".join(known.chain.rows) if known.chain else ""
    parts = (f" ({', '.join(row.kinds)})" if row.kinds[1:] else "" for row in known.blocks.rows)
    return ", ".join(f"{row.row}{part}" for row, part in zip(known.blocks.rows, parts, strict=True))


def _skipped(known: Architecture) -> str:
    """Return why tensors take no part, what holds for every transformer left out."""
    common = {skip["reason"] for skip in json.loads((BUNDLED / "_transformer.json").read_text())["skip"]}
    reasons = dict.fromkeys(skip.reason for skip in known.skip)
    return "; ".join(reason for reason in reasons if reason not in common)


def _proofs() -> dict[str, list[str]]:
    """Return the models that prove each architecture file: what built them, with its version where it is kept."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted((RECORDS / "tiny").glob("*/model.safetensors")):
        found[KEPT_AS.get(path.parent.name, path.parent.name)].append(f"`tiny/{path.parent.name}`")
    for path in sorted((RECORDS / "families").glob("*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        found[record["architecture"]].append(record["origin"].partition(", built by")[0])
    return {name: list(dict.fromkeys(models)) for name, models in found.items()}


def _found_by(known: Architecture) -> str:
    types = ", ".join(f"`{name}`" for name in known.model_types)
    if known.chain is None:
        return types or "by its tensor names"
    return f"{types}, or no config.json" if types and known.name == "mlp" else types or "no config.json"


def _words(kind: type[Question[Any, Any]]) -> str:
    """Return what a question can be asked, beside where it is put and who answers: needed words, then the others."""
    fields = kind.model_fields.items()
    needed = [f"`{name}`" for name, field in fields if field.is_required()]
    return ", ".join(
        [*needed, *(f"`{name}={_default(field)}`" for name, field in fields if not field.is_required())]
    )


def _default(field: FieldInfo) -> str:
    return "none" if field.default is None else f"{field.default}"


def commands_page() -> str:
    """Return the command reference as Markdown: every command with its arguments and options."""
    parts = [
        "# Commands\n\nWritten by `make docs` from the program itself. On bad input every command prints one "
        "sentence and ends with a\nnon-zero code: 2 for words it does not understand, 1 for what it cannot do.\n"
    ]
    parts += [_command(name, load_command(name)) for name in COMMANDS]
    return "\n".join(parts)


def _command(name: str, command: TyperCommand) -> str:
    arguments = [p for p in command.params if isinstance(p, TyperArgument)]
    options = [p for p in command.params if isinstance(p, TyperOption) and not p.hidden]
    usage = " ".join(["neuromfa", name, *(_metavar(p) for p in arguments)])
    lines = [f"## `{usage}`\n", f"{command.help}\n"]
    if options:
        lines += ["| option | default | what it does |", "|---|---|---|", *map(_row, options), ""]
    return "\n".join(lines)


def _metavar(argument: TyperArgument) -> str:
    name = (argument.name or "").upper()
    return f"[{name}]..." if argument.nargs == -1 else name if argument.required else f"[{name}]"


def _row(option: TyperOption) -> str:
    names = " / ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])
    default = "" if option.default is None or option.is_flag else f"`{option.default}`"
    return f"| {names} | {default} | {option.help or ''} |".replace("|  |", "| |")


if __name__ == "__main__":
    main()
