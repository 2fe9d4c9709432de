"""What a release leaves behind in the middle of its work, kept for the releases after it.

``python -m tests.support.release_snapshot N`` writes tests/data/release-N.json.gz with the code as
it is: run it at a release, before any format is changed, and never again for that N.
"""

import base64
import gzip
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from groundwork.jobs.automation.settings import Automation
from groundwork.jobs.work import LeasedTask, Worker
from stacks.constructs.loop_definition import definition
from tests.support.job_fakes import Workshop, box, boxes_answer, worker
from tests.support.learning_fakes import LABELS, World, colour_world

FOLDER = Path(__file__).parents[1] / "data"
ANN, BEN = worker(1), worker(2)
PEOPLE, AUTOMATED, STOPPING = "people", "automated", "stopping"
PEOPLES_OBJECTS, AUTOMATED_OBJECTS = 5, 160
_TASK = "ImageMultiClass"


@dataclass
class Left:
    """A workshop as a release left it, and what its people hold and see.

    Parameters
    ----------
    leases
        Lease ids by what the scenario calls them.
    machine
        The state machine's definition, which running executions keep.
    """

    shop: Workshop
    world: World
    leases: Mapping[str, str]
    machine: Mapping[str, Any]


def releases() -> list[str]:
    """Return the releases that there are snapshots of."""
    return sorted(path.name.removesuffix(".json.gz") for path in FOLDER.glob("release-*.json.gz"))


def one_box(_worker: Worker, _task: LeasedTask) -> Mapping[str, Any]:
    """Return what people answer in the job without automated labeling."""
    return boxes_answer(box("dog", 4, 5, 20, 10))


def leave_off() -> Left:
    """Let three jobs come half their way.

    One whose first batch is published and whose second has an answer, a lease and one ahead; one
    with automated labeling whose model has labeled and is to be proven; one that was just stopped.
    """
    shop = Workshop()
    shop.start(shop.add_images(PEOPLES_OBJECTS), name=PEOPLE, batch=3)
    for _ in range(3):
        _answer(shop, ANN, PEOPLE)
    _answer(shop, ANN, PEOPLE)
    seen = shop.work.take(BEN, PEOPLE)
    assert seen is not None
    world, lines = colour_world(shop, AUTOMATED_OBJECTS, task=_TASK)
    shop.start(lines, LABELS, name=AUTOMATED, task=_TASK, batch=50, automation=Automation(0.6, 0.0))
    while shop.job(AUTOMATED).iteration < 2:
        task = shop.work.take(ANN, AUTOMATED)
        assert task is not None
        shop.work.submit(ANN, task.lease_id, world.answer(ANN, task))
        shop.loop.run()
    shop.start(shop.add_images(2), name=STOPPING)
    shop.store.request_stop(STOPPING, shop.clock())
    return Left(shop, world, {"Ben's": seen.lease_id}, definition())


def _answer(shop: Workshop, person: Worker, job: str) -> None:
    task = shop.work.take(person, job)
    assert task is not None
    shop.work.submit(person, task.lease_id, one_box(person, task), 4.5)
    shop.loop.run()


def write(left: Left, path: Path) -> None:
    """Write what was left as it lies in the table, in S3 and with the state machine."""
    shop = left.shop
    content = {
        "now": shop.clock().isoformat(),
        "items": [_plain(item) for _, item in sorted(shop.table.items.items())],
        "objects": {
            f"{bucket}/{key}": base64.b64encode(data).decode()
            for (bucket, key), data in sorted(shop.s3.objects.items())
        },
        "waiting": shop.loop.waiting,
        "leases": left.leases,
        "machine": left.machine,
    }
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(gzip.compress(json.dumps(content).encode(), mtime=0))


def read(release: str) -> Left:
    """Put a release's workshop into memory, for today's code to go on with."""
    content = json.loads(gzip.decompress((FOLDER / f"{release}.json.gz").read_bytes()))
    shop = Workshop()
    world, _ = colour_world(shop, AUTOMATED_OBJECTS, task=_TASK)
    shop.clock.now = datetime.fromisoformat(content["now"])
    for item in map(_stored, content["items"]):
        shop.table.items[item["PK"], item["SK"]] = item
    for place, data in content["objects"].items():
        bucket, _, key = place.partition("/")
        shop.s3.objects[bucket, key] = base64.b64decode(data)
    shop.loop.waiting = {
        token: (job, number) for token, (job, number) in content["waiting"].items()
    }
    return Left(shop, world, content["leases"], content["machine"])


def _plain(value: Any) -> Any:
    if isinstance(value, set | frozenset):
        return {"set": sorted(value)}
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value


def _stored(value: Any) -> Any:
    """Return a value as DynamoDB gives it back: numbers are decimals."""
    if isinstance(value, dict):
        if value.keys() == {"set"}:
            return set(value["set"])
        return {name: _stored(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_stored(each) for each in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    return value


if __name__ == "__main__":
    target = FOLDER / f"release-{sys.argv[1]}.json.gz"
    if target.exists():
        sys.exit(f"{target} is what that release has left; it does not change.")
    write(leave_off(), target)
