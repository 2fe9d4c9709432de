"""How long the default demo takes once the packages are installed, against its goal."""

import time
from pathlib import Path
from typing import Any

from groundwork.demo.run import DemoSettings
from groundwork.demo.run import run as run_demo
from groundwork.local.emulator import free_port

PROJECT = Path(__file__).resolve().parent.parent
GOAL_SECONDS = 240
_FIRST_PORT = 4765


def run() -> dict[str, Any]:
    """Run the demo from an empty local cloud to an empty local cloud."""
    start = time.perf_counter()
    summary = run_demo(DemoSettings(port=free_port(_FIRST_PORT)), PROJECT, say=lambda line: None)
    seconds = round(time.perf_counter() - start, 1)
    return {
        "name": "demo",
        "figure": seconds,
        "unit": "s",
        "against": GOAL_SECONDS,
        "ratio": round(seconds / GOAL_SECONDS, 2),
        "details": {
            "against": "the goal",
            "seconds": summary.seconds,
            "objects": summary.objects,
            "human_mean_iou": summary.human_mean_iou,
        },
    }
