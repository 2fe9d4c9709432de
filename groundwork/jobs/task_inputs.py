"""What tasks show, out of their batch's file."""

import json
from collections.abc import Mapping
from typing import Any

from groundwork.jobs import layout
from groundwork.jobs.model import FilesForJob, Job, Task
from groundwork.recent import Recent

BLOCK_BYTES = 256 * 1024
# Four megabytes of a function's memory.
_KEPT_BLOCKS = 16


class TaskInputs:
    """Reads tasks' inputs a block of the file at a time, and keeps the blocks.

    A batch's file never changes, so that a block is as good as the file however old it is; one
    holds hundreds of tasks on images.

    Parameters
    ----------
    files_for_job
        Gives S3 with the job's own role.
    """

    def __init__(self, files_for_job: FilesForJob) -> None:
        self._files_for_job = files_for_job
        self._blocks: Recent[tuple[str, int, int], bytes] = Recent(_KEPT_BLOCKS)

    def of(self, job: Job, task: Task) -> Mapping[str, Any]:
        """Return what the task's template finds under ``task.input``."""
        first = task.input_start // BLOCK_BYTES
        last = (task.input_start + task.input_length - 1) // BLOCK_BYTES
        blocks = [self._block(job, task.iteration, number) for number in range(first, last + 1)]
        start = task.input_start - first * BLOCK_BYTES
        line = b"".join(blocks)[start : start + task.input_length]
        task_input: Mapping[str, Any] = json.loads(line)["input"]
        return task_input

    def _block(self, job: Job, iteration: int, number: int) -> bytes:
        key = (job.name, iteration, number)
        block = self._blocks.get(key)
        if block is None:
            uri = layout.batch_uri(job, iteration)
            found = self._files_for_job(job).get_range(uri, number * BLOCK_BYTES, BLOCK_BYTES)
            block = self._blocks.keep(key, found.data)
        return block
