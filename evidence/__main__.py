"""``python -m evidence`` (``make evidence``): the counted tables of docs/, in full, each with its date."""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evidence import bundled, correlations, matrices, neurons, pages, rates, replicates
from neuromfa.method_version import METHOD_VERSION

RESULTS = Path(__file__).parent / "results"
PARTS: dict[str, Callable[[], Any]] = {
    "bundled": lambda: list(bundled.rows()),
    "matrices": lambda: list(matrices.rows()),
    "neurons": neurons.found,
    "rates": rates.rates,
    "replicates": replicates.compared,
    "correlations": correlations.found,
}


def main() -> int:
    """Count the parts named on the command line, or all, and write each with the date and the method's version."""
    for name in sys.argv[1:] or PARTS:
        content = {
            "date": datetime.now(UTC).date().isoformat(),
            "method_version": METHOD_VERSION,
            "found": PARTS[name](),
        }
        path = RESULTS / f"{name}.json"
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        print(f"wrote {path.name}", flush=True)
    pages.write()
    return 0


if __name__ == "__main__":
    sys.exit(main())
