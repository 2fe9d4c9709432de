"""Runs all benchmarks or the named ones: `python -m benchmarks [name ...]`.

Each is a module of this package with a function `run`, whose result has `name`, `figure`, `unit`,
`against` (what the figure is compared with), `ratio` and `details`.
"""

import importlib
import json
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
RESULTS = FOLDER.parent / "build" / "benchmarks"


def main(names: list[str]) -> int:
    """Run benchmarks, write their results below build/benchmarks, and print a table."""
    known = sorted(path.stem for path in FOLDER.glob("[a-z]*.py"))
    if unknown := [name for name in names if name not in known]:
        print(f"No benchmark {', '.join(unknown)}; there are {', '.join(known)}.", file=sys.stderr)
        return 2
    RESULTS.mkdir(parents=True, exist_ok=True)
    print(f"{'name':<12}{'figure':>10} {'against':>10} {'ratio':>8}  unit", flush=True)
    for name in names or known:
        result = importlib.import_module(f"benchmarks.{name}").run()
        (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
        print(
            f"{result['name']:<12}{result['figure']:>10} {result['against']:>10} "
            f"{result['ratio']:>8}  {result['unit']}",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
