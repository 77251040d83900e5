"""The lines of as many series as a comparison takes can be told apart."""

import re
from pathlib import Path

from neuromfa.app import pages
from neuromfa.app.pages.comparison import kind_of
from neuromfa.comparison.compare import MOST_SERIES

SHEET = (Path(pages.__file__).parents[1] / "web" / "site.css").read_text(encoding="utf-8")


def test_no_two_series_have_the_same_line() -> None:
    kinds = [kind_of(place) for place in range(MOST_SERIES)]
    assert len(set(kinds)) == MOST_SERIES
    colours, rounds = ({kind.split()[k] for kind in kinds} for k in (0, 1))
    inks = {re.search(rf"--{colour}: ([^;]+);", SHEET).group(1) for colour in colours}  # type: ignore[union-attr]
    assert len(inks) == len(colours)
    assert all(f".is-{colour} {{ --ink: var(--{colour}); }}" in SHEET for colour in colours)
    dashed = rounds - {"round-0"}
    lines = {re.search(rf"\.curve\.{name} {{([^}}]+)}}", SHEET).group(1) for name in dashed}  # type: ignore[union-attr]
    assert len(lines) == len(dashed)
    assert all(f".legend .{name}::before" in SHEET for name in dashed)
