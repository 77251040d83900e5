"""The versions of all that numbers depend on."""

import platform
from importlib.metadata import PackageNotFoundError, version

from neuromfa import __version__


def versions() -> dict[str, str]:
    """Return the version of the program, of Python, and of each library that calculates and is installed."""
    found = {"neuromfa": __version__, "python": platform.python_version()}
    for package in ("numpy", "scipy", "numba"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
