"""The generated parts of docs/: written by ``make docs``, compared by a test."""

from pathlib import Path

from typer.core import TyperArgument, TyperCommand, TyperOption

from neuromfa.app import openapi
from neuromfa.app.cli.main import COMMANDS, load

COMMANDS_PAGE = Path(__file__).resolve().parents[2] / "docs" / "commands.md"


def main() -> None:
    """Write the command reference, the OpenAPI document and the JSON schema of results again."""
    COMMANDS_PAGE.write_text(commands_page(), encoding="utf-8")
    openapi.main()


def commands_page() -> str:
    """Return the command reference as Markdown: every command with its arguments and options."""
    parts = [
        "# Commands\n\nWritten by `make docs` from the program itself. On bad input every command prints one "
        "sentence and ends with a\nnon-zero code: 2 for words it does not understand, 1 for what it cannot do.\n"
    ]
    parts += [_command(name, load(name)) for name in COMMANDS]
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
