"""How long the deployment of all stacks to a warm local cloud takes, against their synthesis."""

import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from groundwork.local.cloud import LocalCloud
from groundwork.local.emulator import free_port
from groundwork.local.workshop import OPEN, LocalWorkshop, destroy

PROJECT = Path(__file__).resolve().parent.parent
GOAL_SECONDS = 60
_FIRST_PORT = 4765


def run() -> dict[str, Any]:
    """Synthesize with the CDK CLI, deploy, deploy again unchanged, and destroy."""
    with tempfile.TemporaryDirectory() as work:
        cloud = LocalCloud(PROJECT, Path(work), free_port(_FIRST_PORT))
        cloud.start()
        try:
            cloud.bootstrap()
            synth = _synth_seconds(cloud, Path(work) / "synth")
            workshop = LocalWorkshop(cloud, OPEN, {"worker_emails": "worker@example.com"})
            deploy = _seconds(workshop.deploy)
            again = _seconds(workshop.deploy)
            stacks = [stack.name for stack in cloud.stacks()]
            removal = _seconds(lambda: destroy(cloud))
        finally:
            cloud.discard()
    return {
        "name": "deploy",
        "figure": deploy,
        "unit": "s",
        "against": synth,
        "ratio": round(deploy / synth, 2),
        "details": {
            "goal_seconds": GOAL_SECONDS,
            "against": "cdk synth of the same stacks",
            "stacks": stacks,
            "deploy_again_seconds": again,
            "destroy_seconds": removal,
        },
    }


def _synth_seconds(cloud: LocalCloud, output: Path) -> float:
    cli = PROJECT / "node_modules" / ".bin" / "cdk"
    command = [str(cli), "synth", "--all", "--quiet", f"--context=engine={OPEN}"]
    command.append(f"--output={output}")
    return _seconds(
        lambda: subprocess.run(
            command, check=True, cwd=PROJECT, env=cloud.environment(), capture_output=True
        )
    )


def _seconds(call: Any) -> float:
    start = time.perf_counter()
    call()
    return round(time.perf_counter() - start, 1)
