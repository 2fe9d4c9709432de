"""How much of a box-labeling job the machine takes over at a promised quality, and if it keeps it.

DATA names another folder of images with truth.json. The whole takes about an hour on two cores;
SEEDS=0,1 measures fewer.
"""

import os
from typing import Any

import numpy as np

from benchmarks.support.labeled_images import LabeledImages, load_with_features
from benchmarks.support.simulated_job import (
    Result,
    accept_by_margin,
    plan_with_random_batches,
    run_job,
)
from groundwork.autolabel.boxes.decision import BoxLabel, label_quality
from groundwork.autolabel.rounds import Terms

# Target, workers for each image; what is to be reached: share labeled by machine, true mean IoU.
_GOALS = ((0.6, 1, 0.80, 0.68), (0.7, 1, 0.55, 0.78), (0.75, 3, 0.50, 0.82))
_REFERENCE_MARGIN = 0.5


def run() -> dict[str, Any]:
    """Run every target with every seed, and once the two rules that it is compared with."""
    images, learner, known = load_with_features()
    seeds = [int(seed) for seed in os.environ.get("SEEDS", "0,1,2,3,4").split(",")]
    batch = max(50, len(images) // 10)
    classes = len(images.labels)
    runs, compared = [], []
    for target, workers, _, _ in _GOALS:
        terms = Terms(target, graded=True)
        for seed in seeds:
            labels = images.by_people(seed, workers)
            result = run_job(learner, known, labels, classes, terms, batch, seed)
            runs.append(_described(images, labels, result, target, workers, seed))
            print(runs[-1], flush=True)
            if seed == seeds[0]:
                result = run_job(
                    learner, known, labels, classes, terms, batch, seed, plan_with_random_batches
                )
                told = _described(images, labels, result, target, workers, seed)
                compared.append({"rule": "random batches, our bound", **told})
                print(compared[-1], flush=True)
    labels = images.by_people(seeds[0], 1)
    result = accept_by_margin(learner, known, labels, classes, batch, seeds[0], _REFERENCE_MARGIN)
    told = _described(images, labels, result, None, 1, seeds[0])
    compared.append({"rule": f"confidence above {_REFERENCE_MARGIN}, random batches", **told})
    shares = [_mean_of(runs, target, "auto") / len(images) for target, *_ in _GOALS]
    return {
        "name": "autolabel_boxes",
        "figure": round(shares[0], 3),
        "unit": f"of the images labeled by machine at target {_GOALS[0][0]}",
        "against": _GOALS[0][2],
        "ratio": round(shares[0] / _GOALS[0][2], 3),
        "details": {
            "runs": runs,
            "goals": [
                {
                    "target": target,
                    "workers": workers,
                    "share": round(share, 3),
                    "share_goal": share_goal,
                    "auto_mean_iou": round(_mean_of(runs, target, "auto_mean_iou"), 3),
                    "auto_mean_iou_goal": iou_goal,
                    "bound_held": all(
                        each["bound_held"] for each in runs if each["target"] == target
                    ),
                }
                for (target, workers, share_goal, iou_goal), share in zip(
                    _GOALS, shares, strict=True
                )
            ],
            "compared": compared,
        },
    }


def _described(
    images: LabeledImages,
    labels: list[BoxLabel],
    result: Result,
    target: float | None,
    workers: int,
    seed: int,
) -> dict[str, Any]:
    against_people = _mean([label_quality(each, labels[i]) for i, each in result.auto.items()])
    bound = result.assurance.bound
    return {
        "target": target,
        "seed": seed,
        "workers": workers,
        "human": len(result.human),
        "auto": len(result.auto),
        "human_mean_iou": _mean([label_quality(labels[i], images.truth[i]) for i in result.human]),
        "auto_mean_iou": _mean(
            [label_quality(each, images.truth[i]) for i, each in result.auto.items()]
        ),
        "auto_against_people": against_people,
        "bound": None if bound is None else round(bound, 4),
        "bound_held": bound is None or against_people is None or against_people >= bound,
        "rounds": result.rounds,
        "seconds": round(result.seconds, 1),
    }


def _mean(values: list[float]) -> float | None:
    return round(float(np.mean(values)), 4) if values else None


def _mean_of(runs: list[dict[str, Any]], target: float, key: str) -> float:
    return float(np.mean([each[key] or 0.0 for each in runs if each["target"] == target]))
