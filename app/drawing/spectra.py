"""Spectra: a few curves spread over the steps and the chosen one over its band; tau as its bend."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from neuromfa.app.drawing import svg
from neuromfa.app.drawing.panels import drawing
from neuromfa.app.drawing.scales import Scale, nice_ticks, reach, tick_label
from neuromfa.results import Spectrum

WIDTH, HEIGHT = 520.0, 330.0
LEFT, RIGHT, TOP, BOTTOM = 50.0, 14.0, 12.0, 40.0
SHADES = 8


@dataclass(frozen=True)
class Curve:
    """One step as a curve; `low` and `high` are points of its band, empty without one."""

    name: str
    points: tuple[svg.Point, ...]
    low: tuple[svg.Point, ...] = ()
    high: tuple[svg.Point, ...] = ()


def spectrum_curve(name: str, spectrum: Spectrum) -> Curve:
    """Return f over alpha, with the interval of alpha at every q."""
    f = spectrum.f
    low, high = spectrum.alpha_low, spectrum.alpha_high
    return Curve(
        name,
        tuple(zip(spectrum.alpha, f, strict=True)),
        tuple(zip(low, f, strict=True)) if low else (),
        tuple(zip(high, f, strict=True)) if high else (),
    )


def bend_curve(name: str, spectrum: Spectrum) -> Curve:
    """Return tau without the straight line through its value at q = 0 with slope alpha0: what is left is its bend."""
    slope = slope_of(spectrum)
    offset = spectrum.tau[spectrum.q.index(0.0)]

    def bend(values: Sequence[float] | None) -> tuple[svg.Point, ...]:
        pairs = zip(spectrum.q, values or (), strict=False)
        return tuple((q, tau - offset - slope * q) for q, tau in pairs)

    return Curve(name, bend(spectrum.tau), bend(spectrum.tau_low), bend(spectrum.tau_high))


def slope_of(spectrum: Spectrum) -> float:
    """Return alpha0: the slope of tau at q = 0."""
    nearest = min(range(len(spectrum.alpha_q)), key=lambda k: abs(spectrum.alpha_q[k]))
    return spectrum.alpha[nearest]


def draw(
    curves: Sequence[Curve], chosen: Curve | None, *, title: str, across: str, up: str, panel: str
) -> str:
    """Return the drawing; `curves` go from the earliest to the latest step."""
    shown = [*curves, *([chosen] if chosen else [])]
    points = [point for curve in shown for point in (*curve.points, *curve.low, *curve.high)]
    x = Scale(*reach(at for at, _ in points), LEFT, WIDTH - RIGHT)
    y = Scale(*reach(value for _, value in points), HEIGHT - BOTTOM, TOP)
    parts = [
        *_grid(x, y, across, up),
        *(_curve(curve, x, y, _shade(k, len(curves))) for k, curve in enumerate(curves)),
        svg.element("g", *(_chosen(chosen, x, y) if chosen else []), class_="chosen"),
    ]
    frame = f"{x.low!r} {x.high!r} {LEFT} {WIDTH - RIGHT} {y.low!r} {y.high!r} {HEIGHT - BOTTOM} {TOP}"
    picture = drawing(
        _spoken(title, curves, chosen), *parts, width=WIDTH, height=HEIGHT, panel=panel, kind="curves"
    )
    return picture.replace("<svg ", f'<svg data-frame="{frame}" ', 1)


def _grid(x: Scale, y: Scale, across: str, up: str) -> Iterable[str]:
    for tick in nice_ticks(y.low, y.high, 5):
        yield svg.element("line", class_="grid", x1=LEFT, x2=WIDTH - RIGHT, y1=y(tick), y2=y(tick))
        yield svg.words(LEFT - 6, y(tick) + 3.5, tick_label(tick), class_="tick end")
    for tick in nice_ticks(x.low, x.high, 6):
        yield svg.words(x(tick), HEIGHT - 22, tick_label(tick), class_="tick middle")
    yield svg.words(WIDTH - RIGHT, HEIGHT - 5, across, class_="tick end")
    yield svg.words(LEFT + 4, TOP + 8, up, class_="tick")


def _curve(curve: Curve, x: Scale, y: Scale, shade: int) -> str:
    return svg.element(
        "path",
        svg.title(curve.name),
        d=svg.line_of(_placed(curve.points, x, y)),
        class_=f"step shade-{shade}",
    )


def _chosen(curve: Curve, x: Scale, y: Scale) -> Iterable[str]:
    if curve.low and curve.high:
        yield svg.area(_placed(curve.low, x, y), _placed(curve.high, x, y), class_="band is-real")
    yield svg.path(_placed(curve.points, x, y), class_="curve is-real")


def _placed(points: Iterable[svg.Point], x: Scale, y: Scale) -> list[svg.Point]:
    return [(x(at), y(value)) for at, value in points]


def _shade(place: int, count: int) -> int:
    return round(place * (SHADES - 1) / max(count - 1, 1))


def _spoken(title: str, curves: Sequence[Curve], chosen: Curve | None) -> str:
    names = f"{len(curves)} steps from {curves[0].name} to {curves[-1].name}" if curves else "no step"
    return f"{title}: {names}{f'; {chosen.name} stands out' if chosen else ''}."
