"""Sessions with the rights of a role that the engine assumes."""

import json
from functools import lru_cache
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import DeferredRefreshableCredentials
from botocore.exceptions import BotoCoreError, ClientError

from groundwork.unavailable import UnavailableError, is_passing
from groundwork.user_agent import USER_AGENT

_CONFIG = Config(
    user_agent=USER_AGENT,
    connect_timeout=3,
    read_timeout=10,
    retries={"mode": "standard", "max_attempts": 4},
)
# A function assumes it from its own role, and chained sessions last an hour at most:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining
_SESSION_SECONDS = 3600
_MAXIMUM_SESSION_NAME_CHARACTERS = 64
# All that labeling needs. A role that may do more, and trusts the engine or the whole account,
# lends the engine no more: a session has the rights that its role and this policy both allow.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session
SESSION_ACTIONS = (
    "kms:Decrypt",
    "kms:GenerateDataKey",
    "lambda:InvokeFunction",
    "s3:AbortMultipartUpload",
    "s3:GetObject",
    "s3:ListBucket",
    "s3:PutObject",
)
_SESSION_POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": SESSION_ACTIONS, "Resource": "*"}],
    }
)


class RoleError(Exception):
    """A role cannot be assumed; the message says which, and what the service said."""


@lru_cache(maxsize=64)
def session_for_role(role_arn: str, session_name: str) -> Any:
    """Return a boto3 session with a role's rights, the same one for the same role and name.

    Its credentials are fetched at the first call and renewed before they run out.
    """
    sts = boto3.client("sts", config=_CONFIG)
    base = botocore.session.get_session()
    # botocore has no public way to give a session renewable credentials of one's own:
    # https://github.com/boto/botocore/issues/761
    base._credentials = DeferredRefreshableCredentials(
        refresh_using=lambda: _assume(sts, role_arn, session_name), method="sts-assume-role"
    )
    return boto3.Session(botocore_session=base)


def job_session_name(job_name: str) -> str:
    """Return the session name under which a job's role is assumed, for the account's trail."""
    return f"groundwork-{job_name}"[:_MAXIMUM_SESSION_NAME_CHARACTERS]


def _assume(sts: Any, role_arn: str, session_name: str) -> dict[str, str]:
    try:
        answer = sts.assume_role(
            RoleArn=role_arn,
            RoleSessionName=session_name,
            DurationSeconds=_SESSION_SECONDS,
            Policy=_SESSION_POLICY,
        )
    except (ClientError, BotoCoreError) as error:
        if is_passing(error):
            raise UnavailableError(f"assuming the job's role {role_arn}: {error}") from error
        raise RoleError(
            f"cannot assume the job's role {role_arn}: {error}. Its trust policy has to allow "
            "sts:AssumeRole to the labeling engine's functions, which the output EngineRoleArns of "
            "the engine's stack lists."
        ) from error
    credentials = answer["Credentials"]
    return {
        "access_key": credentials["AccessKeyId"],
        "secret_key": credentials["SecretAccessKey"],
        "token": credentials["SessionToken"],
        "expiry_time": credentials["Expiration"].isoformat(),
    }
