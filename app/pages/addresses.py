"""Addresses of pages: all of them relative, so that they hold behind any path of a proxy."""

from collections.abc import Callable, Mapping
from urllib.parse import urlencode

from fastapi import Request

Link = Callable[..., str]


def root_of(request: Request) -> str:
    """Return the way from a page up to the first one, such as ``../``; ``./`` on the first one itself."""
    route = getattr(request.scope.get("route"), "path", request.url.path)
    return "../" * (route.count("/") - 1) or "./"


def linker(shown: Mapping[str, str | int | float | None]) -> Link:
    """Return a function that gives the address of the same page with some words changed, None leaving one out."""

    def link(**changed: str | int | float | None) -> str:
        words = {**shown, **changed}
        told = urlencode({name: value for name, value in words.items() if value is not None})
        return f"?{told}"

    return link
