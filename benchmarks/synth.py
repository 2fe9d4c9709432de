"""How long synthesis of all stacks takes, against an empty CDK app in the same run."""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
GOAL_RATIO = 1.5
_REPEATS = 5
_EMPTY_APP = 'import aws_cdk as cdk\napp = cdk.App()\ncdk.Stack(app, "Empty")\napp.synth()\n'


def run() -> dict[str, Any]:
    """Time both alternately, so that what else the machine does falls on both."""
    with tempfile.TemporaryDirectory() as work:
        empty = Path(work) / "empty.py"
        empty.write_text(_EMPTY_APP, encoding="utf-8")
        apps = {"ours": "app.py", "empty": str(empty)}
        for app in apps.values():
            _seconds(app, Path(work) / "warm-up")
        timed: dict[str, list[float]] = {name: [] for name in apps}
        busy: dict[str, list[float]] = {name: [] for name in apps}
        for number in range(_REPEATS):
            for name, app in apps.items():
                wall, processor = _seconds(app, Path(work) / f"{name}-{number}")
                timed[name].append(wall)
                busy[name].append(processor)
    figure, against = statistics.median(timed["ours"]), statistics.median(timed["empty"])
    return {
        "name": "synth",
        "figure": round(figure, 2),
        "unit": "s",
        "against": round(against, 2),
        "ratio": round(figure / against, 2),
        "details": {
            "goal_ratio": GOAL_RATIO,
            "stacks": ["GroundworkEngine", "Groundwork"],
            "against": "an empty CDK Python app",
            "repeats": _REPEATS,
            "seconds": {name: [round(each, 2) for each in all_] for name, all_ in timed.items()},
            "processor_ratio": round(
                statistics.median(busy["ours"]) / statistics.median(busy["empty"]), 2
            ),
        },
    }


def _seconds(app: str, out: Path) -> tuple[float, float]:
    """Return wall and processor seconds of one synthesis as the CDK CLI runs it."""
    context: dict[str, Any] = {}
    # Our flags make an error of the empty stack's want of resources.
    if app == "app.py":
        context = json.loads((PROJECT / "cdk.json").read_text(encoding="utf-8"))["context"]
        context |= {"engine": "open", "worker_emails": "ana@example.com"}
    environment = {
        **os.environ,
        "CDK_OUTDIR": str(out),
        "CDK_CONTEXT_JSON": json.dumps(context),
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
    }
    before, started = _processor_seconds(), time.perf_counter()
    subprocess.run(
        [sys.executable, app], cwd=PROJECT, env=environment, capture_output=True, check=True
    )
    return time.perf_counter() - started, _processor_seconds() - before


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    print(json.dumps(run(), indent=1))
