"""Refusals of the labeling API, with the codes that SDKs know and the service's wording."""

import json
from collections.abc import Sequence

CONTENT_TYPE = "application/x-amz-json-1.1"


class ServiceError(Exception):
    """A request is refused; the class tells the code that the caller sees."""

    code = "InternalFailure"
    status = 500

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def response(self) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body as the JSON 1.1 protocol has them.

        See https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html.
        """
        body = json.dumps({"__type": self.code, "message": self.message})
        headers = {"content-type": CONTENT_TYPE, "x-amzn-errortype": self.code}
        return self.status, headers, body.encode()


class ValidationError(ServiceError):
    """The request itself is wrong, or it names a workforce or work team that does not exist."""

    code = "ValidationException"
    status = 400


class ResourceNotFoundError(ServiceError):
    """The labeling job or tagged resource does not exist."""

    code = "ResourceNotFound"
    status = 400


class ResourceInUseError(ServiceError):
    """The name is taken, or something else still needs the resource."""

    code = "ResourceInUse"
    status = 400


class ResourceLimitExceededError(ServiceError):
    """The account has as many of this resource as it may have."""

    code = "ResourceLimitExceeded"
    status = 400


class ConflictError(ServiceError):
    """Another change of the resource is going on."""

    code = "ConflictException"
    status = 409


class AccessDeniedError(ServiceError):
    """The caller may not do this."""

    code = "AccessDeniedException"
    status = 400


class UnknownOperationError(ServiceError):
    """The operation does not exist, or this engine does not have it."""

    code = "UnknownOperationException"
    status = 400


class SerializationError(ServiceError):
    """The request's body is not a JSON object."""

    code = "SerializationException"
    status = 400


class InternalFailureError(ServiceError):
    """The engine failed; its log tells why, under the request id."""


def validation_error(problems: Sequence[str]) -> ValidationError:
    """Return one error that names every problem of a request."""
    count = len(problems)
    noun = "error" if count == 1 else "errors"
    return ValidationError(f"{count} validation {noun} detected: {'; '.join(problems)}")
