"""Draw a random sample of a job's machine labels as the input manifest of an audit job."""

import json
from dataclasses import dataclass
from random import Random
from typing import Any

from groundwork.errors import UserError
from groundwork.manifest import METADATA_SUFFIX, LabelState, LineError, read_lines
from groundwork.results.kinds import LabelKind
from groundwork.results.labels import object_of, parse_line
from groundwork.results.output_tree import JobOutput

# What a line of an audit's manifest tells of the audit; jobs pass it through unchanged.
AUDIT_KEY = "groundwork-audit"
AUDIT_ATTRIBUTE = "audit"
AUDITED_KINDS = (LabelKind.BOXES, LabelKind.CLASS)


class AuditError(UserError):
    """There is nothing to audit, or an audit cannot be measured; the text says why."""


@dataclass(frozen=True)
class AuditSample:
    """What was drawn.

    Parameters
    ----------
    lines
        The drawn lines in random order, each with what the audit has to know later.
    population
        How many machine labels it was drawn from.
    unreadable
        Machine labels that are neither boxes nor a class, or lack something; none was drawn.
    """

    lines: tuple[bytes, ...]
    population: int
    unreadable: int
    label_attribute: str


def draw_sample(output: JobOutput, label_attribute: str, size: int, seed: int) -> AuditSample:
    """Draw machine labels without replacement, each set of that size with the same probability.

    The manifest is streamed; the sample is all that is held of it.

    Raises
    ------
    AuditError
        If there is no machine label.
    """
    random = Random(seed)  # noqa: S311 - the labels are fixed before it is drawn
    drawn: list[tuple[int, dict[str, Any]]] = []
    population = unreadable = 0
    for line in read_lines(output.chunks()):
        try:
            attributes = parse_line(line.body)
        except LineError:
            continue
        found = object_of(line.object_id, attributes, label_attribute)
        if found.state is not LabelState.MACHINE:
            continue
        label = found.read()
        if label.kind not in AUDITED_KINDS or label.problems:
            unreadable += 1
            continue
        population += 1
        # Reservoir sampling: the n-th label replaces a drawn one with probability k / n.
        if len(drawn) < size:
            drawn.append((line.object_id, attributes))
        elif (place := random.randrange(population)) < size:
            drawn[place] = (line.object_id, attributes)
    if not population:
        raise AuditError(f"{output.address} has no machine label under {label_attribute!r}.")
    random.shuffle(drawn)
    told = {"population": population, "seed": seed, "label-attribute": label_attribute}
    return AuditSample(
        lines=tuple(
            _line(attributes, {**told, "object": object_id, "draw": draw})
            for draw, (object_id, attributes) in enumerate(drawn)
        ),
        population=population,
        unreadable=unreadable,
        label_attribute=label_attribute,
    )


def _line(attributes: dict[str, Any], told: dict[str, Any]) -> bytes:
    # An earlier audit's labels would make this one's objects labeled already.
    kept = {
        key: value
        for key, value in attributes.items()
        if key not in (AUDIT_ATTRIBUTE, AUDIT_ATTRIBUTE + METADATA_SUFFIX)
    }
    return json.dumps({**kept, AUDIT_KEY: told}, ensure_ascii=False).encode() + b"\n"
