"""Labels by people as a learner sees them: from this job's batches, and from before it."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from groundwork.autolabel.learner import Example, KnownObject
from groundwork.images import ImageFacts
from groundwork.jobs.automation.labels import LabelError
from groundwork.jobs.automation.objects import (
    BY_PEOPLE,
    Integers,
    ObjectState,
    States,
    objects_in,
)
from groundwork.jobs.automation.pictures import PictureSource
from groundwork.jobs.steps.automated import Automated
from groundwork.jobs.steps.batches import read_batch
from groundwork.jobs.steps.images import read_file
from groundwork.manifest import SOURCE_REFERENCE, parse_object

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Labeled:
    """What can be learned from.

    Parameters
    ----------
    examples
        Objects with features and people's labels, ascending.
    known
        How many objects people labeled in all.
    fresh
        (examples,) whether people labeled it in this job.
    """

    examples: tuple[Example, ...]
    known: int
    fresh: NDArray[np.bool_]


@contextmanager
def labeled_by_people(
    automated: Automated, iteration: int, states: States, record_bytes: int
) -> Iterator[Labeled]:
    """Give what people labeled, as long as its pictures may be opened.

    Where people labeled more than a function can learn from, it is a random part, of which most
    stays the same from one training to the next.
    """
    known = objects_in(states, *BY_PEOPLE)
    ranks = np.random.default_rng(automated.seed).random(len(states))
    chosen = np.sort(known[np.argsort(ranks[known])][: automated.form.most_examples])
    found = {
        object_id: (label, reference)
        for object_id, label, reference in _labels(automated, iteration, states, chosen)
    }
    # Two runs may have written the two files of a shard's features, and seen other pictures.
    facts = automated.files.facts_of(found)
    usable = [object_id for object_id in chosen.tolist() if object_id in facts]
    references = {object_id: found[object_id][1] for object_id in usable}
    hardest = _chosen_for_being_hard(automated, iteration)
    records = automated.files.records_of(usable, automated.files.shards(), record_bytes)
    with open_pictures(automated, usable, references, facts) as pictures:
        examples = tuple(
            Example(
                KnownObject(object_id, record, partial(pictures.open, object_id)),
                found[object_id][0],
                representative=object_id not in hardest,
            )
            for object_id, record in zip(usable, records, strict=True)
            # A picture without features has zeros only.
            if any(record)
        )
        fresh = [states[each.known.object_id] == ObjectState.HUMAN for each in examples]
        yield Labeled(examples, len(known), np.array(fresh, bool))


def open_pictures(
    automated: Automated,
    objects: Sequence[int],
    references: Mapping[int, str],
    facts: Mapping[int, ImageFacts],
) -> PictureSource:
    """Return what opens the pictures of some objects, in this order."""
    return PictureSource(
        lambda object_id: read_file(automated.files.s3, references[object_id]),
        objects,
        facts.__getitem__,
    )


def _chosen_for_being_hard(automated: Automated, iteration: int) -> set[int]:
    plans = automated.files.plans(range(iteration))
    return {object_id for plan in plans for object_id in plan.hardest}


def _labels(
    automated: Automated, iteration: int, states: States, chosen: Integers
) -> Iterator[tuple[int, object, str]]:
    """Yield objects with their labels in the learner's form and their images' addresses."""
    wanted = set(chosen.tolist())
    before = [each for each in chosen.tolist() if states[each] == ObjectState.HUMAN_BEFORE]
    for line in automated.files.lines_of(before):
        yield from _readable(automated, line.object_id, line.body)
    for past in range(1, iteration + 1):
        for candidate, line in read_batch(automated.files.s3, automated.job, past):
            if candidate.object_id in wanted:
                yield from _readable(automated, candidate.object_id, line.body)


def _readable(
    automated: Automated, object_id: int, body: bytes
) -> Iterable[tuple[int, object, str]]:
    attributes = parse_object(body)
    try:
        value = attributes.get(automated.job.label_attribute)
        label = automated.form.read(value, len(automated.classes))
    except LabelError:
        # The reason quotes the label, which no log may have; the manifest shows it.
        _log.warning(
            "label not learned from", extra={"job": automated.job.name, "object_id": object_id}
        )
        return
    yield object_id, label, attributes[SOURCE_REFERENCE]
