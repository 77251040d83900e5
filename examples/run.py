"""Runs the cells of the tutorial and keeps what they print: ``python -m examples.run`` writes the notebook anew.

A cell is plain Python; what its last line gives is shown as a notebook shows it.
"""

import ast
import contextlib
import io
import json
from pathlib import Path
from typing import Any

NOTEBOOK = Path(__file__).with_name("tutorial.ipynb")


def main() -> None:
    """Run the notebook and write it with its outputs."""
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    for number, (cell, told) in enumerate(zip(code_cells(notebook), outputs(notebook), strict=True), start=1):
        cell["execution_count"] = number
        cell["outputs"] = [{"name": "stdout", "output_type": "stream", "text": told}] if told else []
    NOTEBOOK.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def code_cells(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the cells that are run."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def kept_outputs(notebook: dict[str, Any]) -> list[list[str]]:
    """Return the lines that the notebook says its cells print."""
    return [[line for output in cell["outputs"] for line in output["text"]] for cell in code_cells(notebook)]


def outputs(notebook: dict[str, Any]) -> list[list[str]]:
    """Run all cells in turn in one namespace; return the lines that each prints."""
    names: dict[str, Any] = {}
    return [_run("".join(cell["source"]), names) for cell in code_cells(notebook)]


def _run(source: str, names: dict[str, Any]) -> list[str]:
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        exec(compile(tree, "cell", "exec"), names)  # noqa: S102  cells of our own notebook
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), "cell", "eval"), names)  # noqa: S307  the same
            if value is not None:
                print(repr(value))  # noqa: T201  this is what a notebook shows
    return told.getvalue().splitlines(keepends=True)


if __name__ == "__main__":
    main()
