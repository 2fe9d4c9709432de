"""A boto3 SageMaker client for Ground Truth and for the open engine alike."""

import re
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from groundwork.service import ServiceRefusedError
from groundwork.user_agent import USER_AGENT

# https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
_FUNCTION_URL_HOST = re.compile(r"[a-z0-9]+\.lambda-url\.([a-z0-9-]+)\.on\.aws(\.cn)?")
_CONFIG = Config(
    user_agent=USER_AGENT,
    connect_timeout=5,
    read_timeout=30,
    retries={"mode": "standard", "max_attempts": 5},
)


def labeling_client(endpoint_url: str | None = None, session: Any = None) -> Any:
    """Return a boto3 SageMaker client.

    Parameters
    ----------
    endpoint_url
        The open engine's address; by default AWS_ENDPOINT_URL_SAGEMAKER, which boto3 honours by
        itself, and else Ground Truth.
    session
        The boto3 session to use.
    """
    session = session or boto3.Session()
    client = session.client("sagemaker", endpoint_url=endpoint_url, config=_CONFIG)
    host = _FUNCTION_URL_HOST.fullmatch(urlsplit(client.meta.endpoint_url).hostname or "")
    if host:
        # A function URL answers 403 to what is signed for another service than Lambda. A request's
        # own signing name goes before its client's: botocore.signers.RequestSigner.sign.
        signing = {"signing_name": "lambda", "region": host[1]}

        def sign_for_lambda(request: Any, **_: Any) -> None:
            request.context["signing"] = {**request.context.get("signing", {}), **signing}

        client.meta.events.register("before-sign.sagemaker", sign_for_lambda)
    return client


def account_labeling_client(endpoint_url: str | None, region: str | None) -> Any:
    """Return what ``labeling_client`` does, with the user's own rights in a region.

    Parameters
    ----------
    region
        None for the profile's.

    Raises
    ------
    ServiceRefusedError
        If there is no region, or the address is none.
    """
    try:
        return labeling_client(endpoint_url, boto3.Session(region_name=region))
    except (BotoCoreError, ValueError) as error:
        hint = "set the region with --region, and credentials as for the AWS CLI"
        raise ServiceRefusedError("client", type(error).__name__, f"{error} ({hint})") from error
