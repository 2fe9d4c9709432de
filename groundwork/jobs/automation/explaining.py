"""Tell what automated labeling did with one object, and why."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from groundwork.autolabel.rounds import Proposal
from groundwork.errors import UserError
from groundwork.jobs import layout
from groundwork.jobs.automation.files import AutomationFiles
from groundwork.jobs.automation.objects import ObjectState, Shards
from groundwork.jobs.automation.records import Decision, PlanRecord, VerdictRecord
from groundwork.jobs.errors import JobFailedError
from groundwork.jobs.layout import Output
from groundwork.manifest import (
    FAILURE_REASON,
    METADATA_SUFFIX,
    SOURCE_REFERENCE,
    parse_object,
    read_lines,
)
from groundwork.s3_client import S3Client
from groundwork.s3_uri import S3Uri

_SHOWN = 5
_RESULTS = {
    ObjectState.POOL: "has no label",
    ObjectState.HUMAN: "was labeled by people",
    ObjectState.MACHINE: "was labeled by machine",
    ObjectState.FAILED: "could not be labeled",
    ObjectState.HUMAN_BEFORE: "was labeled by people before the job began",
    ObjectState.MACHINE_BEFORE: "was labeled by machine before the job began",
}


class ExplainError(UserError):
    """There is nothing to explain; the message says why."""


@dataclass(frozen=True)
class OutputFolder:
    """A job's output where nothing else is known of the job, and nothing is to be written."""

    output_prefix: S3Uri
    kms_key_id: str | None = None


@dataclass(frozen=True)
class Event:
    """What happened to an object in an iteration, and the figures behind it."""

    iteration: int
    text: str
    figures: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the event as a document."""
        return {"iteration": self.iteration, "text": self.text, **self.figures}


@dataclass(frozen=True)
class Explanation:
    """An object's way through a job.

    Parameters
    ----------
    state
        What has become of it so far.
    label
        What its line of the output manifest has beyond that of the input manifest.
    """

    object_id: int
    reference: str
    state: ObjectState
    label: Mapping[str, Any]
    events: tuple[Event, ...]

    @property
    def sentence(self) -> str:
        """What has become of the object."""
        return f"Object {self.object_id} ({self.reference}) {_RESULTS[self.state]}."

    def to_json(self) -> dict[str, Any]:
        """Return the explanation as a document."""
        return {
            "object": self.object_id,
            "reference": self.reference,
            "state": self.state.name.lower(),
            "label": dict(self.label),
            "events": [event.to_json() for event in self.events],
        }


def explain(files: S3Client, job: Output, wanted: str) -> Explanation:
    """Explain what a job did with an object.

    Parameters
    ----------
    wanted
        The object's number, from 0; or its image's S3 URI or the end of it, such as the file name.

    Raises
    ------
    ExplainError
        If the job has no automated labeling, or not exactly one such object, or if files of it are
        missing.
    """
    try:
        return _explain(files, job, wanted)
    except JobFailedError as error:
        raise ExplainError(str(error)) from error


def _explain(files: S3Client, job: Output, wanted: str) -> Explanation:
    automation = AutomationFiles(files, job)
    shards = automation.find_shards()
    if shards is None:
        raise ExplainError(
            "This job has no automated labeling of the open engine (no inference/shards.json in "
            "its output): there is nothing to explain."
        )
    object_id = _find(files, job, shards, wanted)
    (line,) = automation.lines(range(object_id, object_id + 1))
    before = line.parse()
    story = _Story(files, job, automation, shards, object_id, before)
    events = tuple(story.events())
    return Explanation(
        object_id, str(before.get(SOURCE_REFERENCE, "")), story.state, story.label, events
    )


def _find(files: S3Client, job: Output, shards: Shards, wanted: str) -> int:
    if wanted.isascii() and wanted.isdigit():
        if int(wanted) < shards.objects:
            return int(wanted)
        raise ExplainError(f"There is no object {wanted}: the last one is {shards.objects - 1}.")
    found: list[tuple[int, str]] = []
    for line in read_lines(files.stream(layout.snapshot_uri(job, 0))):
        reference = str(line.parse().get(SOURCE_REFERENCE, ""))
        if reference == wanted:
            return line.object_id
        if reference.endswith(f"/{wanted.lstrip('/')}"):
            found.append((line.object_id, reference))
    if len(found) == 1:
        return found[0][0]
    if not found:
        raise ExplainError(f"No image of the job is {wanted}, nor ends so.")
    shown = ", ".join(f"{object_id} ({reference})" for object_id, reference in found[:_SHOWN])
    raise ExplainError(f"{len(found)} images end in {wanted}: {shown}. Name one by its number.")


class _Story:
    """Walks through a job's iterations with one object."""

    def __init__(
        self,
        files: S3Client,
        job: Output,
        automation: AutomationFiles,
        shards: Shards,
        object_id: int,
        before: Mapping[str, Any],
    ) -> None:
        self._s3 = files
        self._job = job
        self._files = automation
        self._shard = shards.of(object_id)
        self._object = object_id
        self._before = before
        self.state = ObjectState.POOL
        self.label: Mapping[str, Any] = {}

    def events(self) -> Iterator[Event]:
        yield from self._picture()
        iteration = 0
        while (states := self._files.find_states(iteration)) is not None:
            self.state = ObjectState(int(states[self._object]))
            if iteration:
                yield from self._judged(iteration)
            if self.state is not ObjectState.POOL:
                yield from self._ended(iteration)
                return
            yield from self._planned(iteration)
            iteration += 1

    def _picture(self) -> Iterator[Event]:
        pictures = self._files.find_pictures(self._shard)
        if pictures is None:
            return
        if self._object in pictures.images:
            facts = pictures.images[self._object]
            size = {"width": facts.width, "height": facts.height}
            yield Event(0, f"its picture was looked at: {facts.width} x {facts.height} px", size)
        elif self._object in pictures.missing:
            reason = pictures.missing[self._object]
            yield Event(0, f"no model can label it: {reason}", {"reason": reason})

    def _planned(self, iteration: int) -> Iterator[Event]:
        forecast = self._forecast(iteration)
        if forecast is not None:
            yield Event(
                iteration,
                f"the model labeled it and expects a quality of {forecast:.3f}",
                {"forecast": forecast},
            )
        plan = self._files.find_plan(iteration)
        if plan is None:
            return
        proposal = None
        if plan.decision is Decision.PROPOSE:
            proposal = self._files.find_proposal(iteration)
        yield from self._proposed(iteration, proposal, forecast)
        if self._object in plan.asked:
            yield Event(iteration, f"people are asked about it: {self._why_asked(plan, proposal)}")

    def _proposed(
        self, iteration: int, proposal: Proposal | None, forecast: float | None
    ) -> Iterator[Event]:
        if proposal is None:
            return
        threshold = float(proposal.forecasts.min())
        rank = _rank(proposal, self._object)
        if rank is not None:
            yield Event(
                iteration,
                f"its label is proposed, number {rank + 1} of {len(proposal.objects)}",
                {"rank": rank, "proposed": len(proposal.objects), "threshold": threshold},
            )
        elif forecast is not None:
            yield Event(
                iteration,
                f"it is not proposed: the proposal takes forecasts of {threshold:.3f} or more",
                {"threshold": threshold},
            )

    def _why_asked(self, plan: PlanRecord, proposal: Proposal | None) -> str:
        if proposal is not None and self._object in proposal.asked:
            return (
                f"it was drawn into the sample of {len(proposal.sample)} that the proposal is "
                "judged by"
            )
        if self._object in plan.hardest:
            return "it is one of those that the model is worst at"
        if plan.decision is Decision.LEARN:
            return "it was drawn at random to learn from"
        return plan.reason

    def _judged(self, iteration: int) -> Iterator[Event]:
        verdict = self._files.find_verdict(iteration)
        if verdict is None or verdict.proposal_of is None:
            return
        proposal = self._files.find_proposal(verdict.proposal_of)
        rank = None if proposal is None else _rank(proposal, self._object)
        if rank is None:
            return
        for sampled in verdict.sample:
            if sampled.object == self._object:
                yield Event(iteration, _agreement(sampled.score), {"score": sampled.score})
        yield Event(
            iteration,
            _fate(verdict, rank),
            {"accepted": verdict.accepted, "region": verdict.region, "rank": rank},
        )

    def _ended(self, iteration: int) -> Iterator[Event]:
        if self.state is ObjectState.MACHINE:
            self.label = self._added(self._accepted_line(iteration))
        elif self.state in (ObjectState.HUMAN, ObjectState.FAILED):
            self.label = self._added(self._batch_line(iteration))
        text = _RESULTS[self.state]
        for name, value in self.label.items():
            if name.endswith(METADATA_SUFFIX) and FAILURE_REASON in value:
                text += f": {value[FAILURE_REASON]}"
        yield Event(iteration, f"it {text}")

    def _forecast(self, iteration: int) -> float | None:
        found = self._files.find_forecasts(iteration, self._shard)
        if found is None:
            return None
        places = np.flatnonzero(found.objects == self._object)
        return float(found.forecasts[places[0]]) if len(places) else None

    def _accepted_line(self, iteration: int) -> bytes | None:
        for object_id, body in self._files.accepted_lines(iteration):
            if object_id == self._object:
                return body
        return None

    def _batch_line(self, iteration: int) -> bytes | None:
        batch = read_lines(self._s3.stream(layout.batch_uri(self._job, iteration)))
        lines = read_lines(self._s3.stream(layout.batch_manifest_uri(self._job, iteration)))
        for candidate, line in zip(batch, lines, strict=False):
            if json.loads(candidate.body)["id"] == self._object:
                return line.body
        return None

    def _added(self, body: bytes | None) -> dict[str, Any]:
        after = {} if body is None else parse_object(body)
        return {key: value for key, value in after.items() if self._before.get(key) != value}


def _rank(proposal: Proposal, object_id: int) -> int | None:
    places = np.flatnonzero(proposal.objects == object_id)
    return int(places[0]) if len(places) else None


def _agreement(score: float | None) -> str:
    if score is None:
        return "people gave no label, which counts as a quality of 0 for the proposed one"
    return f"measured against people's label, the proposed one has a quality of {score:.3f}"


def _fate(verdict: VerdictRecord, rank: int) -> str:
    if verdict.withdrawn is not None:
        return f"the proposal was withdrawn: {verdict.withdrawn}"
    if rank < verdict.region:
        return f"the best {verdict.region} of the proposed labels passed, its own among them"
    told = "; ".join(
        f"of {test.size} labels, {test.sampled} sampled ones had a mean quality of "
        f"{test.sample_mean:.3f}, which proves {test.bound:.3f} where {test.needed:.3f} was needed"
        for test in verdict.tests
        if not test.passed
    )
    passed = f"only the best {verdict.region} passed" if verdict.region else "no label passed"
    return f"{passed}: {told}" if told else passed
