"""SVG as text: elements whose attributes and words are escaped."""

from collections.abc import Iterable
from html import escape

Point = tuple[float, float]


def element(name: str, *children: str, **attributes: object) -> str:
    """Return an element; `class_` stands for class, other underscores for hyphens, None leaves an attribute out."""
    said = "".join(
        f' {_name(key)}="{_value(value)}"' for key, value in attributes.items() if value is not None
    )
    return f"<{name}{said}>{''.join(children)}</{name}>" if children else f"<{name}{said}/>"


def words(x: float, y: float, text: str, **attributes: object) -> str:
    """Return a text at a place."""
    return element("text", escape(text), x=x, y=y, **attributes)


def title(text: str) -> str:
    """Return what a pointer over an element shows."""
    return element("title", escape(text))


def path(points: Iterable[Point], **attributes: object) -> str:
    """Return a line through points."""
    return element("path", d=line_of(points), **attributes)


def area(lower: list[Point], upper: list[Point], **attributes: object) -> str:
    """Return the area between two lines."""
    return element("path", d=f"{line_of([*lower, *reversed(upper)])}Z", **attributes)


def line_of(points: Iterable[Point]) -> str:
    """Return the path data of a line through points."""
    return "M" + "L".join(f"{number(x)},{number(y)}" for x, y in points)


def number(value: float) -> str:
    """Return a coordinate with one decimal: a tenth of a pixel is below what is seen."""
    return f"{value:.1f}".removesuffix(".0")


def _name(key: str) -> str:
    return key.rstrip("_").replace("_", "-") if key not in ("viewBox",) else key


def _value(value: object) -> str:
    return number(value) if isinstance(value, float) else escape(str(value))
