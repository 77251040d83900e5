"""A Docker engine of the tests' own, in namespaces of its own: nothing of this machine's is touched.

Everything hangs on one process: when that is killed, all that runs in its namespaces dies at once, as in a power cut.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.requirements import missing

PROGRAMS = (
    "dockerd",
    "docker",
    "docker-compose",
    "debootstrap",
    "slirp4netns",
    "unshare",
    "nsenter",
    "setpriv",
)
NAME_SERVER = "10.0.2.3"  # where slirp4netns answers for names
START_S = 120.0
# the first process of the namespaces: gives them a loopback, names and an engine, once the network is there
FIRST = """
set -e
ip link set lo up
mount --bind "$1/resolv.conf" /etc/resolv.conf
echo waiting
read -r _
rm -f "$1/docker.pid"
dockerd --host "unix://$1/docker.sock" --data-root "$2" --exec-root "$1/exec" --pidfile "$1/docker.pid" \
  --config-file "$1/daemon.json" >>"$1/dockerd.log" 2>&1 &
wait
"""
ASK = """
import sys, urllib.error, urllib.request
request = urllib.request.Request(sys.argv[1], method=sys.argv[2], data=sys.argv[4].encode() or None)
for line in filter(None, sys.argv[3].split("\\n")):
    request.add_header(*line.split(": ", 1))
try:
    answer = urllib.request.urlopen(request, timeout=60)
except urllib.error.HTTPError as error:
    answer = error
except OSError as error:
    sys.exit(f"no answer: {error}")
print(answer.status)
sys.stdout.write(answer.read().decode())
"""


def needs_engine() -> None:
    """Leave the test out where no engine can be run."""
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    if absent:
        missing("engine", f"not installed: {', '.join(absent)}")
    if os.geteuid() != 0:
        missing("engine", "an engine in namespaces of its own is started by root")


class Engine:
    """A running engine.

    Parameters
    ----------
    folder : its socket, log and state; short, since paths of sockets are
    data : its images, containers and volumes; those outlive the engine
    """

    def __init__(self, folder: Path, *, data: Path) -> None:
        self.folder, self._data = folder, data
        self._processes: list[subprocess.Popen[str]] = []

    def __enter__(self) -> "Engine":
        try:
            self.start()
        except BaseException:
            self.cut()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cut()

    @property
    def environment(self) -> dict[str, str]:
        """What leads clients to this engine and no other; the classic builder is in every version."""
        return {
            **os.environ,
            "DOCKER_HOST": f"unix://{self.folder}/docker.sock",
            "DOCKER_CONFIG": str(self.folder / "client"),
            "DOCKER_BUILDKIT": "0",
            "COMPOSE_DOCKER_CLI_BUILD": "0",
        }

    def start(self) -> None:
        """Start the namespaces, their network and the engine; what restarts by itself is up some time after."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._data.mkdir(parents=True, exist_ok=True)
        (self.folder / "resolv.conf").write_text(f"nameserver {NAME_SERVER}\n")
        (self.folder / "daemon.json").write_text("{}\n")
        spaces = ["unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child"]
        first = self._begin([*spaces, "sh", "-c", FIRST, "sh", str(self.folder), str(self._data)])
        assert first.stdout is not None and first.stdin is not None
        assert first.stdout.readline() == "waiting\n", "the namespaces were not made"
        network = ["slirp4netns", "--configure", "--mtu=1400", "--disable-host-loopback", "--ready-fd=1"]
        slirp = self._begin([*network, str(first.pid), "tap0"])
        assert slirp.stdout is not None and slirp.stdout.read(1) == "1", "no network for the namespaces"
        first.stdin.write("go\n")
        first.stdin.flush()
        self._wait_until_up()

    def _begin(self, command: list[str]) -> "subprocess.Popen[str]":
        with (self.folder / "commands.log").open("a") as log:
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *command],  # killed tests leave nothing running
                text=True,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        self._processes.append(process)
        return process

    def _wait_until_up(self) -> None:
        until = time.monotonic() + START_S
        while self.run("docker", "info", check=False).returncode != 0:
            log = (self.folder / "dockerd.log").read_text()[-2000:]
            assert time.monotonic() < until and self._processes[0].poll() is None, f"no engine: {log}"
            time.sleep(0.5)

    def cut(self) -> None:
        """End everything at once and without warning."""
        for process in self._processes:
            process.send_signal(signal.SIGKILL)
            process.communicate()
        self._processes.clear()

    def run(
        self, *command: str, check: bool = True, cwd: Path | None = None, **variables: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run a client of the engine; where that fails the test does, with what it said."""
        done = subprocess.run(
            command,
            cwd=cwd,
            env=self.environment | variables,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        assert not check or done.returncode == 0, f"{' '.join(command)}: {done.stdout[-4000:]}"
        return done

    def said(self, *command: str, **variables: str) -> str:
        """Return what a client printed."""
        return self.run(*command, **variables).stdout.strip()

    def inspect(self, name: str) -> dict[str, Any]:
        """Return what the engine knows of a container or an image."""
        return dict(json.loads(self.said("docker", "inspect", name))[0])

    def ask(
        self, url: str, *, method: str = "GET", headers: Mapping[str, str] | None = None, body: str = ""
    ) -> tuple[int, str]:
        """Send a request from inside the namespaces, where the published ports are; status 0 is no answer."""
        lines = "\n".join(f"{name}: {value}" for name, value in (headers or {}).items())
        inside = ["nsenter", f"--net=/proc/{self._processes[0].pid}/ns/net", sys.executable, "-I", "-c", ASK]
        done = subprocess.run(
            [*inside, url, method, lines, body], text=True, capture_output=True, check=False
        )
        status, _, text = done.stdout.partition("\n")
        return (int(status), text) if done.returncode == 0 else (0, done.stderr)

    def send(self, name: str, container: str) -> None:
        """Send a signal from outside, as the kernel does; the engine, which counts its own signals, is not asked."""
        inside, first = self.inspect(container)["State"]["Pid"], self._inner()
        spaces = [f"--pid=/proc/{first}/ns/pid", f"--mount=/proc/{first}/ns/mnt"]
        subprocess.run(["nsenter", *spaces, "sh", "-c", f"kill -{name} {inside}"], check=True)

    def _inner(self) -> int:
        """The first process in the namespace of processes: the only child of the one we started."""
        pid = self._processes[0].pid
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


@contextmanager
def running_engine(data: Path) -> Iterator[Engine]:
    """An engine whose images and layers `data` keeps for the next run; its containers and volumes go."""
    needs_engine()
    with tempfile.TemporaryDirectory(prefix="engine-", dir="/tmp") as folder:
        with Engine(Path(folder), data=data) as engine:
            _clear(engine)  # what a run left that was itself killed
            yield engine
            _clear(engine)


def _clear(engine: Engine) -> None:
    containers = engine.said("docker", "ps", "--all", "--quiet").split()
    if containers:
        engine.run("docker", "rm", "--force", "--volumes", *containers)
    engine.run("docker", "volume", "prune", "--force")
    engine.run("docker", "network", "prune", "--force")
