"""Two hundred workers with human pauses on one job: no task given twice, no answer lost."""

import os
from functools import partial
from typing import Any

from benchmarks.portal_load import GOAL_P95_MILLISECONDS
from benchmarks.portal_next_task import portal_cloud
from benchmarks.support.labeling_crowd import (
    GuaranteeBrokenError,
    Labeling,
    add_small_images,
    answers_kept,
    between,
    signed_in,
)

_WORKERS = 200
# More tasks than they answer, so that the batch is open until the end.
_PICTURES = 400
_WORKERS_PER_PICTURE = 6
_SECONDS = 90
_SECONDS_BETWEEN_ARRIVALS = 0.15
# groundwork cost reckons with 20 seconds for a picture with boxes.
_PAUSE = (10.0, 30.0)


def run() -> dict[str, Any]:
    """Let people come one after the other and label at their own speed.

    Raises
    ------
    GuaranteeBrokenError
        If a task was given twice or to too many, or an answer was lost.
    """
    load_before = os.getloadavg()[0]
    with portal_cloud(
        partial(add_small_images, count=_PICTURES), workers_per_object=str(_WORKERS_PER_PICTURE)
    ) as (cloud, portal_url):
        job = cloud.output("LabelingJobName")
        if job is None:
            raise RuntimeError("the stack has no job")
        workers = signed_in(cloud, portal_url, _WORKERS)
        labeling = Labeling()
        rate = labeling.run(
            workers,
            job,
            _SECONDS,
            pause=between(*_PAUSE),
            arriving_seconds=_SECONDS_BETWEEN_ARRIVALS,
        )
        figures = labeling.figures(rate, load_before)
        kept = answers_kept(cloud, job)
    broken = {
        "given_twice": labeling.given_twice(),
        "given_to_too_many": labeling.given_to_too_many(_WORKERS_PER_PICTURE),
        "lost": len(labeling.answered) - kept,
    }
    if any(broken.values()) or not labeling.answered:
        raise GuaranteeBrokenError(f"{len(labeling.answered)} answers: {broken}")
    return {
        "name": "portal_crowd",
        "figure": round(labeling.p95(), 1),
        "unit": f"ms p95 of requests, {_WORKERS} workers with human pauses",
        "against": GOAL_P95_MILLISECONDS,
        "ratio": round(labeling.p95() / GOAL_P95_MILLISECONDS, 3),
        "details": {
            **figures,
            **broken,
            "pause_seconds": _PAUSE,
        },
    }
