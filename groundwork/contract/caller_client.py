"""Who calls the labeling API, and which roles they may hand to it."""

from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from groundwork.user_agent import USER_AGENT

_CONFIG = Config(
    user_agent=USER_AGENT,
    connect_timeout=3,
    read_timeout=10,
    retries={"mode": "standard", "max_attempts": 4},
)
# Whom existing policies let a job's role be passed to; this API stands in for it.
_PASSED_TO = "sagemaker.amazonaws.com"


def caller_of(event: Mapping[str, Any]) -> str | None:
    """Return the ARN of who signed a request to a function URL.

    None where the function was invoked directly, by somebody who could name any caller there.
    https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-request-payload
    """
    authorizer = event.get("requestContext", {}).get("authorizer") or {}
    caller: str | None = (authorizer.get("iam") or {}).get("userArn")
    return caller


class CallerClient:
    """Asks IAM what the managed service asks it, too, before it works with a role.

    Otherwise whoever may call the API could use any role that trusts the engine. Session policies
    of the caller's are not seen.
    https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html#sagemaker-roles-pass-role

    Parameters
    ----------
    api
        A boto3 IAM client, or a stand-in with the same methods.
    """

    def __init__(self, api: Any) -> None:
        self._api = api

    @classmethod
    def from_environment(cls) -> "CallerClient":
        """Use the function's own rights."""
        return cls(boto3.client("iam", config=_CONFIG))

    def may_pass(self, caller_arn: str, role_arn: str) -> bool:
        """Tell whether a user or role of the account has iam:PassRole on a role."""
        kind, _, name = caller_arn.split(":", 5)[5].partition("/")
        if kind == "root":
            return True
        source = caller_arn if kind == "user" else None
        if kind == "assumed-role":
            source = self._role_arn(name.partition("/")[0])
        if source is None:
            return False
        answer = self._api.simulate_principal_policy(
            PolicySourceArn=source,
            ActionNames=["iam:PassRole"],
            ResourceArns=[role_arn],
            ContextEntries=[
                {
                    "ContextKeyName": "iam:PassedToService",
                    "ContextKeyValues": [_PASSED_TO],
                    "ContextKeyType": "string",
                }
            ],
        )
        (result,) = answer["EvaluationResults"]
        return bool(result["EvalDecision"] == "allowed")

    def _role_arn(self, name: str) -> str | None:
        """Return a role's ARN, which has the path that a session's ARN lacks."""
        try:
            arn: str = self._api.get_role(RoleName=name)["Role"]["Arn"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchEntity":
                return None
            raise
        return arn
