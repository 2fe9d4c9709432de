"""The state machine that drives a labeling job."""

from __future__ import annotations

import json
import os
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from groundwork.unavailable import told_if_unavailable
from groundwork.user_agent import USER_AGENT

_CONFIG = Config(
    user_agent=USER_AGENT,
    connect_timeout=5,
    read_timeout=15,
    retries={"mode": "standard", "max_attempts": 5},
)
_GONE_CODES = {"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"}


class LoopClient:
    """Starts and wakes the executions of one state machine.

    Parameters
    ----------
    state_machine_arn
        The loop's state machine; waking needs none, as the token says which execution it is.
    api
        A boto3 Step Functions client, or a stand-in with the same methods.
    """

    def __init__(self, state_machine_arn: str | None = None, api: Any = None) -> None:
        self._state_machine_arn = state_machine_arn
        self._given_api = api

    @classmethod
    def from_environment(cls) -> LoopClient:
        """Use the state machine that the function was deployed with, if it may start it."""
        return cls(os.environ.get("STATE_MACHINE_ARN"))

    @cached_property
    def _api(self) -> Any:
        # Made when it is needed: most of the portal's processes never wake a loop.
        return self._given_api or boto3.client("stepfunctions", config=_CONFIG)

    def start(self, job_name: str) -> None:
        """Start a job's loop; one that was started already goes on undisturbed."""
        try:
            with told_if_unavailable(f"starting the loop of {job_name}"):
                self._api.start_execution(
                    stateMachineArn=self._state_machine_arn,
                    name=job_name,
                    input=json.dumps({"job": job_name, "iteration": 0}),
                )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
                raise

    def running_jobs(self) -> frozenset[str]:
        """Return the names of the jobs that an execution runs for.

        Executions are named after their job, the further ones of a job with more after an
        underscore, which no job's name has.
        """
        pages = self._api.get_paginator("list_executions").paginate(
            stateMachineArn=self._state_machine_arn, statusFilter="RUNNING"
        )
        return frozenset(
            execution["name"].partition("_")[0]
            for page in pages
            for execution in page["executions"]
        )

    def wake(self, token: str, outcome: dict[str, Any]) -> None:
        """Let the waiting loop go on with an outcome; one that waits no longer is fine."""
        try:
            with told_if_unavailable("waking a loop"):
                self._api.send_task_success(taskToken=token, output=json.dumps(outcome))
        except ClientError as error:
            if error.response["Error"]["Code"] not in _GONE_CODES:
                raise
