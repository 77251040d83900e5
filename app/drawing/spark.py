"""Sparklines: the course of a measure in the height of a line, real over shuffled."""

from collections.abc import Sequence

from neuromfa.app.drawing import svg
from neuromfa.app.drawing.panels import Panel, drawing
from neuromfa.app.drawing.scales import Scale, StepAxis, reach

WIDTH, HEIGHT, EDGE = 132.0, 34.0, 4.0


def draw(panel: Panel, axis: StepAxis, kinds: Sequence[str] = ("shuffled", "real")) -> str:
    """Return the lines of some kinds, each scaled together with the others; nothing where none has two values."""
    lines = [line for line in panel.lines if line.kind in kinds and len(line.known) > 1]
    if not lines:
        return ""
    x = axis.scale(EDGE, WIDTH - EDGE)
    y = Scale(*reach(dot.value for line in lines for dot in line.known), HEIGHT - EDGE, EDGE)
    zero = [svg.element("line", class_="zero", x1=EDGE, x2=WIDTH - EDGE, y1=y(0.0), y2=y(0.0))]
    paths = [
        svg.path([(x(dot.at), y(dot.value or 0.0)) for dot in line.known], class_=f"curve is-{line.kind}")
        for line in lines
    ]
    parts = [*(zero if y.low < 0.0 < y.high else []), *paths]
    return drawing(panel.spoken(), *parts, width=WIDTH, height=HEIGHT, kind="spark")
