"""Let an iteration's model label a shard of what is left."""

import logging
from functools import partial

import numpy as np

from groundwork.autolabel.learner import KnownObject, Prediction
from groundwork.jobs import layout
from groundwork.jobs.automation.files import Forecasts
from groundwork.jobs.automation.objects import ObjectState
from groundwork.jobs.steps import Engine, StepResult
from groundwork.jobs.steps.automated import Automated
from groundwork.jobs.steps.examples import open_pictures
from groundwork.manifest import METADATA_SUFFIX, SOURCE_REFERENCE

_log = logging.getLogger(__name__)


def infer(engine: Engine, job_name: str, iteration: int, shard: int) -> StepResult:
    """Write a label and a forecast of its quality for every object of a shard that is left."""
    automated = Automated.of(engine, engine.store.get(job_name))
    if automated.is_running and automated.files.find_forecasts(iteration, shard) is None:
        _infer(automated, iteration, shard)
    return StepResult(automated.job.name, iteration, "inferred")


def _infer(automated: Automated, iteration: int, shard: int) -> None:
    clock, job, files = automated.engine.clock, automated.job, automated.files
    began = clock()
    learner = automated.learner
    states = files.states(iteration)
    members = files.shards().members(shard)
    images = files.pictures(shard).images
    references = {
        line.object_id: line.parse()[SOURCE_REFERENCE]
        for line in files.lines(members)
        if states[line.object_id] == ObjectState.POOL and line.object_id in images
    }
    records = files.features(shard, learner.record_bytes) if references else []
    # Two runs may have written the two files of a shard's features, and seen other pictures.
    objects = [each for each in references if any(records[each - members.start])]
    predictions: list[Prediction] = []
    if objects:
        model = files.model_in(layout.training_uri(job, iteration))
        with open_pictures(automated, objects, references, images) as pictures:
            known = [
                KnownObject(
                    object_id,
                    records[object_id - members.start],
                    partial(pictures.open, object_id),
                )
                for object_id in objects
            ]
            predictions = learner.predict(model, known, len(automated.classes))
    labels = []
    for prediction in predictions:
        image = images[prediction.object_id]
        label = automated.form.write(prediction, automated.classes, image)
        attribute = job.label_attribute
        content = {attribute: label.value, attribute + METADATA_SUFFIX: label.metadata}
        labels.append((prediction.object_id, content))
    seconds = (clock() - began).total_seconds()
    found = Forecasts(
        np.array([prediction.object_id for prediction in predictions], np.int64),
        np.clip([prediction.forecast for prediction in predictions], 0.0, 1.0),
        seconds,
    )
    files.keep_forecasts(iteration, shard, labels, found)
    _log.info(
        "forecasts made",
        extra={
            "job": job.name,
            "iteration": iteration,
            "shard": shard,
            "labels": len(labels),
            "seconds": round(seconds, 1),
        },
    )
