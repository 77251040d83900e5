"""Draws benchmarks/results/mfa_growth.csv as docs/images/growth.svg: ``python -m benchmarks.plot_growth``."""

import csv
from pathlib import Path

import altair as alt

ROOT = Path(__file__).parents[1]


def main() -> None:
    """One panel per axis: CPU milliseconds against blocks, neurons a layer and moments, both axes logarithmic."""
    with (ROOT / "benchmarks/results/mfa_growth.csv").open() as file:
        rows = [
            {**row, "size": float(row["size"]), "cpu_ms": float(row["cpu_ms"])}
            for row in csv.DictReader(file)
        ]
    panels = [
        alt.Chart(
            alt.Data(values=[row for row in rows if row["axis"] == axis]), title=axis, width=200, height=180
        )
        .mark_line(point=True)
        .encode(
            x=alt.X("size:Q", scale=alt.Scale(type="log"), title=axis),
            y=alt.Y("cpu_ms:Q", scale=alt.Scale(type="log"), title="CPU ms"),
        )
        for axis in dict.fromkeys(row["axis"] for row in rows)
    ]
    alt.hconcat(*panels).save(ROOT / "docs/images/growth.svg")


if __name__ == "__main__":
    main()
