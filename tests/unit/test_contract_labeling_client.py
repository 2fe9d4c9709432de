"""The SageMaker client for either engine: where it sends requests, and for whom it signs them."""

from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from groundwork.contract.labeling_client import labeling_client

FUNCTION_URL = "https://abcdefghij1234567890.lambda-url.eu-west-1.on.aws/"


class _Body:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: Any) -> Any:
        yield self._content


def sent(endpoint_url: str | None) -> AWSPreparedRequest:
    """Return the request that a client would send."""
    session = boto3.Session(
        aws_access_key_id="key", aws_secret_access_key="secret", region_name="us-east-1"
    )
    client = labeling_client(endpoint_url, session)
    requests: list[AWSPreparedRequest] = []

    def answer(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        requests.append(request)
        return AWSResponse(request.url, 200, {}, _Body(b"{}"))

    client.meta.events.register("before-send.sagemaker", answer)
    client.list_workteams()
    return requests[0]


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SAGEMAKER", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)


def authorization(request: AWSPreparedRequest) -> str:
    header = request.headers["Authorization"]
    return header.decode() if isinstance(header, bytes) else str(header)


def test_without_an_endpoint_ground_truth_is_asked() -> None:
    request = sent(None)

    assert request.url == "https://api.sagemaker.us-east-1.amazonaws.com/"
    assert "/us-east-1/sagemaker/aws4_request" in authorization(request)


def test_a_function_url_is_signed_for_lambda_in_its_own_region() -> None:
    request = sent(FUNCTION_URL)

    assert request.url == FUNCTION_URL
    assert "/eu-west-1/lambda/aws4_request" in authorization(request)
    assert request.headers["X-Amz-Target"] in (
        b"SageMaker.ListWorkteams",
        "SageMaker.ListWorkteams",
    )


def test_the_local_cloud_is_signed_for_sagemaker() -> None:
    assert "/us-east-1/sagemaker/aws4_request" in authorization(sent("http://127.0.0.1:4566"))


def test_the_endpoint_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER", FUNCTION_URL)

    request = sent(None)

    assert request.url == FUNCTION_URL
    assert "/eu-west-1/lambda/aws4_request" in authorization(request)
