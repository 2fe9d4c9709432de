"""Services that cannot answer at the moment, told apart from those that refuse for good."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    IncompleteReadError,
)
from botocore.exceptions import ConnectionError as ServiceConnectionError

# What the SDK itself takes for throttling, and refusals that a second try does not meet again:
# https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
_PASSING_CODES = {
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
    "SlowDown",
    "Throttling",
    "ThrottledException",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
}
_FIRST_SERVER_ERROR = 500


class UnavailableError(Exception):
    """A service did not do what it was asked, after all retries, and may do so later."""


def is_passing(error: Exception) -> bool:
    """Tell whether the same request may succeed later, by what boto3 raised."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        code = error.response.get("Error", {}).get("Code")
        return code in _PASSING_CODES or status >= _FIRST_SERVER_ERROR
    return isinstance(error, ServiceConnectionError | HTTPClientError | IncompleteReadError)


@contextmanager
def told_if_unavailable(action: str) -> Iterator[None]:
    """Turn what boto3 raises into UnavailableError where it may pass; anything else goes on."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        if is_passing(error):
            raise UnavailableError(f"{action}: {error}") from error
        raise
