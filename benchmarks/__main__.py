"""``python -m benchmarks`` (``make bench``): every benchmark in turn, each in a process of its own.

It ends with what was left out, if anything was.
"""

import subprocess
import sys
from pathlib import Path

from benchmarks import scaling
from benchmarks.left_out import SENTENCE, WITH_NEO4J, has_neo4j


def main() -> int:
    """Run all, or those named on the command line, then write docs/scaling.md anew; return the number that failed."""
    found = sorted(path.stem for path in Path(__file__).parent.glob("bench_*.py"))
    wanted = [name for name in found if not sys.argv[1:] or name.removeprefix("bench_") in sys.argv[1:]]
    failed = 0
    for name in wanted:
        print(f"\n== {name}", flush=True)
        failed += subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode != 0
    scaling.main()
    if {*WITH_NEO4J} & {*wanted} and not has_neo4j():
        print(f"\n{SENTENCE}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
