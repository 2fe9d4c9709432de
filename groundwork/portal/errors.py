"""What the portal refuses, as it tells it to a browser or a program."""

from dataclasses import replace
from http import HTTPStatus

from groundwork.portal.http import Response, json_response

# Of what passes by itself.
_RETRY_AFTER_SECONDS = 2


class PortalError(Exception):
    """A request that is refused.

    Parameters
    ----------
    status
        The HTTP status.
    code
        A word that programs can rely on.
    message, hint
        What is wrong, and what to do about it.
    """

    def __init__(self, status: HTTPStatus, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.hint = hint

    def response(self) -> Response:
        """Return the refusal as JSON."""
        error = {"code": self.code, "message": self.message, "hint": self.hint}
        response = json_response({"error": error}, self.status)
        if self.status is not HTTPStatus.SERVICE_UNAVAILABLE:
            return response
        wait = {"retry-after": str(_RETRY_AFTER_SECONDS)}
        return replace(response, headers={**response.headers, **wait})


class SignInError(Exception):
    """Signing in did not work; the text is meant for the worker."""


class NotSetUpError(Exception):
    """The engine or its user pool lacks something that signing in needs."""
