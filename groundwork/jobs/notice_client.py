"""What the world is told about a job: state changes on EventBridge, notices to the work team."""

from __future__ import annotations

import json
import logging
import os
from functools import cached_property
from typing import Any, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from groundwork.contract.arns import Arn
from groundwork.contract.portal_address import portal_url
from groundwork.contract.registry import WorkteamNotFoundError
from groundwork.contract.registry_store import RegistryStore
from groundwork.jobs.model import Job, JobStatus
from groundwork.user_agent import USER_AGENT

# Only AWS services may write `aws.` sources:
# https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html
EVENT_SOURCE = "groundwork.labeling"
# https://docs.aws.amazon.com/sagemaker/latest/dg/sms-monitor-cloud-watch.html
EVENT_DETAIL_TYPE = "SageMaker Ground Truth Labeling Job State Change"
# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
_SUBJECT_CHARACTERS = 99

_CONFIG = Config(
    user_agent=USER_AGENT,
    connect_timeout=3,
    read_timeout=10,
    retries={"mode": "standard", "max_attempts": 4},
)
_log = logging.getLogger(__name__)


class Notices(Protocol):
    """Who tells the world about a job."""

    def work_available(self, job: Job) -> None:
        """Tell the team that there is work."""

    def job_ended(self, job: Job) -> None:
        """Tell everybody that the job has ended, and how."""


class NoticeClient:
    """Writes to EventBridge and to the work team's SNS topic.

    Parameters
    ----------
    registry
        Knows each team's topic.
    portal
        The worker portal's address, for the notices.
    events_api, sns_api
        boto3 clients, or stand-ins with the same methods.
    """

    def __init__(
        self, registry: RegistryStore, portal: str, events_api: Any = None, sns_api: Any = None
    ) -> None:
        self._registry = registry
        self._portal = portal
        self._given_events = events_api
        self._given_sns = sns_api

    @classmethod
    def from_environment(cls) -> NoticeClient:
        """Use the function's own rights."""
        return cls(RegistryStore.from_environment(), os.environ["PORTAL_URL"])

    @cached_property
    def _events(self) -> Any:
        # Made when it is needed, like the other: most of the loop's steps tell nobody anything.
        return self._given_events or boto3.client("events", config=_CONFIG)

    @cached_property
    def _sns(self) -> Any:
        return self._given_sns or boto3.client("sns", config=_CONFIG)

    def work_available(self, job: Job) -> None:
        """Tell the team that there is work."""
        self._tell_team(
            job,
            f"New labeling work: {job.title}",
            f"{job.description}\n\nLabel here: {portal_url(self._portal)}",
        )

    def job_ended(self, job: Job) -> None:
        """Tell everybody that the job has ended, and how."""
        answer = self._events.put_events(
            Entries=[
                {
                    "Source": EVENT_SOURCE,
                    "DetailType": EVENT_DETAIL_TYPE,
                    "Resources": [job.arn],
                    "Detail": json.dumps({"LabelingJobStatus": job.status.value}),
                }
            ]
        )
        if answer.get("FailedEntryCount"):
            raise NoticeError(f"EventBridge refused the event of {job.name}: {answer['Entries']}")
        ends = {
            JobStatus.COMPLETED: "is complete",
            JobStatus.STOPPED: "was stopped",
            JobStatus.FAILED: "has failed",
        }
        end = ends.get(job.status, "has ended")
        self._tell_team(
            job,
            f"Labeling work ended: {job.title}",
            f"The labeling job {job.name} {end}. There is nothing more to do on it. Thank you!",
        )

    def _tell_team(self, job: Job, subject: str, text: str) -> None:
        topic = self._topic(job)
        if topic is None:
            return
        # A topic that is gone or closed to us must not hold the job up: labels matter more.
        try:
            self._sns.publish(TopicArn=topic, Subject=_subject(subject), Message=text)
        except (ClientError, BotoCoreError) as error:
            _log.warning(
                "notice failed", extra={"job": job.name, "topic": topic, "reason": str(error)}
            )

    def _topic(self, job: Job) -> str | None:
        try:
            team = self._registry.workteam(Arn.parse(job.workteam_arn).resource_name)
        except WorkteamNotFoundError:
            return None
        return team.notification_topic_arn


class NoticeError(Exception):
    """A notice was not accepted."""


def _subject(text: str) -> str:
    """Return a subject as SNS accepts it: no control characters, fewer than 100 characters."""
    return "".join(character for character in text if character.isprintable())[:_SUBJECT_CHARACTERS]
