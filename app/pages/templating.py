"""Jinja and the files pages load: templates become text, every asset has an address with its content's hash in it."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from neuromfa import __version__
from neuromfa.app.pages import words
from neuromfa.model_id import in_route

WEB = Path(str(resources.files("neuromfa.app").joinpath("web")))
TEMPLATES = WEB / "templates"
TAG_LETTERS = 12


@cache
def environment() -> Environment:
    """Return the templates with what all of them may say."""
    found = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "figure": words.figure,
        "fixed": words.fixed,
        "interval": words.interval,
        "probability": words.probability,
        "flag_name": words.flag_name,
        "missing": words.missing,
        "route": in_route,
        "drawn": Markup,
        "unbroken": unbroken,
    }
    found.globals |= {"words": words, "version": __version__, "assets": f"assets/{assets_tag()}"}
    return found


def unbroken(text: str, names: Iterable[str]) -> Markup:
    """Return a text in which no line ends inside of a name."""
    longest_first = sorted(names, key=len, reverse=True)
    parts = re.split(f"({'|'.join(map(re.escape, longest_first))})", text)
    return Markup("").join(
        Markup('<span class="name">{}</span>').format(part) if k % 2 else part for k, part in enumerate(parts)
    )


def rendered(template: str, context: Mapping[str, Any]) -> str:
    """Return a template filled in; whatever is not Markup is escaped."""
    return environment().get_template(template).render(context)


@cache
def assets_tag() -> str:
    """Return the hash of everything the pages load, part of every address they load it from."""
    digest = sha256()
    for path in sorted(WEB.glob("*.*")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:TAG_LETTERS]


def style_sheet() -> str:
    """Return the style sheet, for a page that stands alone."""
    return (WEB / "site.css").read_text(encoding="utf-8")
