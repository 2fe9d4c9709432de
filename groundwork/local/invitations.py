"""The invitations that workers got, read from the local cloud's mail box."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from groundwork.local.cloud import Mail

_INVITATION = "CognitoInvitationMessage"
# The passwords that the emulator makes have no white space; the mail's own text surrounds them.
_PASSWORD = re.compile(r"password(?:\s+is)?:?\s+(?P<password>\S+?)[.,]?(?:\s|<|$)", re.IGNORECASE)


@dataclass(frozen=True)
class Invitation:
    """Whom somebody invited, and the password of the first sign-in."""

    email: str
    temporary_password: str


def invitations(mails: Iterable[Mail]) -> list[Invitation]:
    """Return the latest invitation of every worker, in the order of the first."""
    latest: dict[str, Invitation] = {}
    for mail in mails:
        match = _PASSWORD.search(mail.text)
        if mail.kind == _INVITATION and match:
            latest[mail.recipient] = Invitation(mail.recipient, match["password"])
    return list(latest.values())
