"""The bytes the bundled series learns from: the sources of the running Python's standard library."""

from __future__ import annotations

import hashlib
import platform
import sysconfig
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

EXCLUDED_FOLDERS = frozenset(
    {"__pycache__", "dist-packages", "idle_test", "lib-dynload", "site-packages", "test", "tests"}
)
# These are written by the build of Python and differ between two installations of one version.
EXCLUDED_PREFIXES = ("_sysconfigdata", "config-")
HELDOUT_EVERY = 20
DESCRIPTION = (
    "All *.py files of the Python standard library, sorted by relative path and joined as bytes; without "
    "tests, installed packages, symbolic links and the files a build of Python generates (_sysconfigdata*, "
    "config-*). "
    f"Every {HELDOUT_EVERY}th file, beginning with the first, is held out of training."
)


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """Training and held-out bytes, and where they come from.

    Attributes
    ----------
    train, heldout : uint8 arrays of shape (n_bytes,)
    sha256 : str, of all files joined in order, before any split or shuffling
    n_files : int
    python : str, the version whose library was read
    """

    train: Bytes
    heldout: Bytes
    sha256: str
    n_files: int
    python: str


def is_source(relative: Path) -> bool:
    """Tell whether a path below the library's root belongs to the corpus."""
    if any(part in EXCLUDED_FOLDERS for part in relative.parts):
        return False
    return not any(part.startswith(EXCLUDED_PREFIXES) for part in relative.parts)


def source_files(root: Path) -> list[Path]:
    """List the corpus files below `root`, sorted by their path written with ``/``."""
    found = (path for path in root.rglob("*.py") if path.is_file() and not path.is_symlink())
    kept = [path for path in found if is_source(path.relative_to(root))]
    return sorted(kept, key=lambda path: path.relative_to(root).as_posix())


def read_corpus(root: Path | None = None) -> Corpus:
    """Read the corpus below `root`, by default the running Python's standard library.

    Raises
    ------
    FileNotFoundError
        If there are fewer than two source files (one to train on, one to hold out).
    """
    root = root or Path(sysconfig.get_path("stdlib"))
    contents = [path.read_bytes() for path in source_files(root)]
    if len(contents) < 2:
        raise FileNotFoundError(
            f"no Python sources in {root}: use a Python whose standard library is unpacked files"
        )
    return Corpus(
        train=_joined([text for i, text in enumerate(contents) if i % HELDOUT_EVERY]),
        heldout=_joined(contents[::HELDOUT_EVERY]),
        sha256=hashlib.sha256(b"".join(contents)).hexdigest(),
        n_files=len(contents),
        python=platform.python_version(),
    )


def _joined(contents: list[bytes]) -> Bytes:
    return np.frombuffer(b"".join(contents), dtype=np.uint8)


def shuffled(corpus: Corpus, *, seed: int) -> Corpus:
    """Permute the bytes inside each split: the same byte counts, and nothing left to learn beyond them."""
    rng = np.random.default_rng(seed)
    return replace(corpus, train=rng.permutation(corpus.train), heldout=rng.permutation(corpus.heldout))


def unigram_entropy(data: Bytes) -> float:
    """Entropy of single bytes in nats, ``-sum_b p_b ln p_b``: the least loss without any context."""
    p = np.bincount(data, minlength=256) / data.size
    p = p[p > 0]
    return float(-(p * np.log(p)).sum())
