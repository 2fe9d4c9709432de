"""An AWS service as the pure logic sees it: named operations that answer or refuse."""

from collections.abc import Iterator
from typing import Any, Protocol

from groundwork.errors import UserError


class ServiceRefusedError(UserError):
    """A service refused a request, or could not be reached.

    ``code`` and ``message`` are the service's own words, unchanged; ``is_passing`` tells whether
    the same request may succeed later.
    """

    def __init__(
        self, operation: str, code: str, message: str, *, is_passing: bool = False
    ) -> None:
        super().__init__(f"{operation}: {code}: {message}")
        self.operation = operation
        self.code = code
        self.message = message
        self.is_passing = is_passing

    @property
    def is_access_refusal(self) -> bool:
        """Whether the caller lacks a right, or the account lacks the service."""
        return self.code in _ACCESS_CODES


# HEAD requests of S3 have no body, so that botocore can only give the status.
_ACCESS_CODES = frozenset(
    {
        "403",
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "AuthorizationErrorException",
        "NotAuthorizedException",
        "OptInRequired",
        "SubscriptionRequiredException",
        "UnauthorizedOperation",
        "UnrecognizedClientException",
    }
)


class Service(Protocol):
    """One service in one region, with one identity's rights."""

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Run an operation, named as in boto3; ServiceRefusedError when it is refused."""


def pages(
    service: Service, operation: str, key: str, *, paging: str = "NextToken", **parameters: Any
) -> Iterator[Any]:
    """Yield what a listing operation lists, page by page.

    Parameters
    ----------
    key
        Where an answer holds the things listed.
    paging
        The name of the paging token, in requests and answers alike.
    """
    following: dict[str, Any] = {}
    while True:
        answer = service.call(operation, **parameters, **following)
        yield from answer.get(key, [])
        if not answer.get(paging):
            return
        following = {paging: answer[paging]}
