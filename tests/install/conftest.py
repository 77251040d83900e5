"""The wheel and the source distribution, built once, and fresh environments with the wheel in a hostile folder."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOT_BUILT_FROM = shutil.ignore_patterns(
    ".git", ".venv*", "var", "build", "dist", "*.egg-info", ".cache", ".*_cache", ".hypothesis", "__pycache__"
)
TRAP = "raise SystemExit(f'{__name__} of the folder one stands in was imported')\n"
TRAPS = ("app/__init__.py", "app/main.py", "ingest.py", "cypher.py", "ports.py", "file_lock.py")


@dataclass(frozen=True)
class Built:
    """What was built."""

    wheel: Path
    sdist: Path


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel, and a folder of somebody's in which its commands are run.

    Attributes
    ----------
    folder : of the environment
    cwd : has modules named like rooms of this project, each of which ends the process that imports it
    growth : bytes on disk that the installation took
    """

    folder: Path
    cwd: Path
    growth: int

    @property
    def python(self) -> Path:
        """The interpreter."""
        return self.folder / "bin" / "python"

    @property
    def packages(self) -> Path:
        """The folder ``site-packages``."""
        return next(self.folder.glob("lib/python*/site-packages"))

    @property
    def series(self) -> Path:
        """The small series."""
        return self.packages / "neuromfa/data/series/stdlib-14m-2-blocks"

    def run(self, *words: object, seconds: float = 120) -> subprocess.CompletedProcess[str]:
        """Run the command line in the hostile folder."""
        return subprocess.run(
            self.command(*words), cwd=self.cwd, env=self.environment(), text=True, capture_output=True, timeout=seconds
        )  # fmt: skip

    def python_says(self, code: str) -> str:
        """Run Python code in the hostile folder and return what it prints."""
        words = [str(self.python), "-c", code]
        return subprocess.check_output(words, cwd=self.cwd, env=self.environment(), text=True)

    @contextmanager
    def running(self, *words: object) -> Iterator[subprocess.Popen[str]]:
        """Run a command that stays; it is ended as Ctrl-C ends it."""
        process = subprocess.Popen(
            self.command(*words), cwd=self.cwd, env=self.environment(), text=True, stderr=subprocess.PIPE
        )
        try:
            yield process
        finally:
            process.terminate()
            process.communicate(timeout=60)

    def command(self, *words: object) -> list[str]:
        """Return the words to run, the script of the environment first."""
        return [str(self.folder / "bin" / "neuromfa"), *map(str, words)]

    def environment(self) -> dict[str, str]:
        """Return the variables of a user with a habit: the folder one stands in is on the path."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("NEUROMFA_", "PYTHON"))
        }
        path = f"{self.folder / 'bin'}{os.pathsep}{kept['PATH']}"
        own = {"PATH": path, "PYTHONPATH": ".", "HF_HUB_OFFLINE": "1", "COLUMNS": "100"}
        return kept | own | {"NEUROMFA_DATA_DIR": str(self.cwd / "data"), "NO_COLOR": "1"}


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The source distribution, and the wheel made from it, out of a copy of the tree."""
    folder = tmp_path_factory.mktemp("build")
    tree, target = folder / "tree", folder / "dist"
    shutil.copytree(ROOT, tree, symlinks=True, ignore=NOT_BUILT_FROM)
    _quiet(sys.executable, "-m", "build", "--outdir", target, tree)
    [wheel], [sdist] = target.glob("*.whl"), target.glob("*.tar.gz")
    return Built(wheel, sdist)


@pytest.fixture(scope="session")
def base(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel without any extra."""
    return _installed(built, tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="session")
def whole(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel, with the extras a user comes to by doing what the messages say."""
    installed = _installed(built, tmp_path_factory.mktemp("whole"))
    pins = installed.folder / "pins.txt"
    pins.write_text("\n".join(_pins("base", "service", "demo")))
    pinned = installed.environment() | {"PIP_CONSTRAINT": str(pins), "PIP_QUIET": "1"}
    for words in (("query",), ("serve",)):
        line = installed.run(*words).stderr.strip().rpartition(": ")[2]
        subprocess.run(["sh", "-c", line], check=True, env=pinned)
    line = installed.python_says("from neuromfa.extras import install_line; print(install_line('arrow'))")
    subprocess.run(["sh", "-c", line], check=True, env=pinned)
    return installed


def _installed(built: Built, folder: Path) -> Installed:
    environment, cwd = folder / "environment", folder / "somebody's notebooks"
    _quiet(sys.executable, "-m", "venv", environment)
    before = _on_disk(environment)
    pip = (environment / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    _quiet(*pip, "-r", ROOT / "requirements" / "base.txt", built.wheel)
    for name in TRAPS:
        (cwd / name).parent.mkdir(parents=True, exist_ok=True)
        (cwd / name).write_text(TRAP)
    return Installed(environment, cwd, _on_disk(environment) - before)


def _quiet(*words: object) -> None:
    run = subprocess.run([*map(str, words)], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-2000:]


def _on_disk(folder: Path) -> int:
    """Return the bytes of a folder as du counts them."""
    return 512 * sum(path.lstat().st_blocks for path in folder.rglob("*"))


def _pins(*files: str) -> list[str]:
    texts = ((ROOT / "requirements" / f"{name}.txt").read_text() for name in files)
    return [line for text in texts for line in text.splitlines() if "==" in line]
