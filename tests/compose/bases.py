"""Base images under names of the tests' own, for machines that cannot pull any: from Debian's packages and the jars
of `make neo4j-home`, with no address in any file: apt's own settings say where packages come from, and pip's.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from neuromfa.servers.neo4j_assembly import home_folder, is_assembled
from tests.compose.engine import Engine
from tests.requirements import missing

RECIPES = Path(__file__).parent / "bases"
DEBIAN = "neuromfa-test/debian"
PYTHON, BUILD, NEO4J, BARE = (f"neuromfa-test/{name}" for name in ("python", "build", "neo4j", "bare"))


def make_bases(engine: Engine) -> None:
    """Make what the engine does not have yet; the first time takes some minutes."""
    if not has(engine, DEBIAN):
        import_debian(engine)
    for name in (PYTHON, BUILD, NEO4J, BARE):
        with context_of(name) as context:
            recipe = context / f"{name.split('/')[1]}.Dockerfile"
            engine.run("docker", "build", "--quiet", "--tag", name, "--file", str(recipe), str(context))


def has(engine: Engine, image: str) -> bool:
    """Tell whether the engine has an image."""
    return engine.run("docker", "image", "inspect", image, check=False).returncode == 0


def import_debian(engine: Engine) -> None:
    """Bring the smallest Debian there is, from where apt has its packages."""
    site, suite = debian_source()
    with tempfile.TemporaryDirectory() as folder:
        run("debootstrap", "--variant=minbase", suite, folder, site)
        (Path(folder) / "etc/apt/apt.conf.d/90-not-by-date").write_text(
            'Acquire::Check-Valid-Until "false";\n'
        )
        tar = subprocess.Popen(["tar", "--create", "--directory", folder, "."], stdout=subprocess.PIPE)
        subprocess.run(
            ["docker", "import", "-", DEBIAN],
            stdin=tar.stdout,
            env=engine.environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        assert tar.wait() == 0


def debian_source() -> tuple[str, str]:
    """Return site and suite of this machine's first source of packages."""
    lines = run(
        "apt-get", "indextargets", "--format", "$(SITE) $(RELEASE)", "Created-By: Packages"
    ).splitlines()
    if not lines:
        missing("engine", "apt knows no source of packages")
    site, suite = lines[0].split()
    return site, suite


@contextmanager
def context_of(image: str) -> Iterator[Path]:
    """A folder with the recipes and what an image takes from this machine."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(RECIPES, folder, dirs_exist_ok=True)
        if image == BUILD:
            write_pip_settings(folder)
        if image == NEO4J:
            copy_jars(folder)
        yield folder


def write_pip_settings(folder: Path) -> None:
    """Write pip's settings of this machine, from its files and its environment, and the certificates it trusts."""
    pip = [sys.executable, "-m", "pip", "config", "list"]
    found = dict(line.split("=", 1) for line in run(*pip).splitlines() if "=" in line)
    kept = {name.rpartition(".")[2]: value.strip("'\"") for name, value in found.items()}
    certificates = Path(kept.pop("cert", "/etc/ssl/certs/ca-certificates.crt"))
    lines = [
        f"{name} = {value}"
        for name, value in kept.items()
        if name in ("index-url", "extra-index-url", "proxy")
    ]
    inside = "cert = /etc/ssl/certs/ca-certificates.crt"
    (folder / "pip.conf").write_text("\n".join(["[global]", "timeout = 180", inside, *lines]) + "\n")
    shutil.copy(certificates, folder / "certificates.crt")


def copy_jars(folder: Path) -> None:
    """Put the jars of Neo4j beside the recipe."""
    home = home_folder()
    if not is_assembled(home):
        missing("neo4j", f"no Neo4j in {home}")
    shutil.copytree(home / "lib", folder / "lib")


def run(*command: str) -> str:
    """Run a command of this machine and return what it printed; where it fails, the test does."""
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout
