"""Processor time of small commands, most of which is imports.

``python -m benchmarks.bench_startup`` writes benchmarks/results/startup.csv: processor time, best of several runs,
because machines are shared. A test looks at the modules that are loaded instead (tests/unit/test_startup.py).
"""

import csv
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "benchmarks/results/startup.csv"
SERIES = ROOT / "neuromfa/data/series/stdlib-14m-2-blocks"
RUNS = 5
COMMANDS = {
    "neuromfa --help": (("--help",), 0.35),
    "neuromfa analyze, a tiny model": (
        ("analyze", SERIES, "--steps", "0", "--samples", "3", "--nodes", "16", "--no-nulls"),
        0.9,
    ),
}


def main() -> None:
    """Measure every command and write the file."""
    with TARGET.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("what", "cpu_s", "at_most", "met"))
        for what, (words, most) in COMMANDS.items():
            figure = min(processor_time(*words) for _ in range(RUNS))
            writer.writerow((what, f"{figure:.2f}", most, "yes" if figure <= most else "no"))
    print(TARGET.read_text())


def processor_time(*words: object) -> float:
    """Return the seconds a run of the command line took of the processor, in itself and the system."""
    command = [sys.executable, "-m", "neuromfa", *map(str, words)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
