"""Mails that were sent stay readable after the emulator was stopped and started again.

On AWS they are in the recipients' mail boxes. The emulator keeps its other data, but forgets mails,
and with them the workers' first passwords.
"""

from collections.abc import Callable
from typing import Any

from ministack.services import ses

from groundwork.local.hooks import wrap

_KEY = "groundwork_sent_emails"


def install() -> None:
    """Save mails with the other state of the mail service, and load them with it."""
    wrap(ses, "get_state", _with_mails, ())
    wrap(ses, "_restore_state", _and_mails, ("data",))


def _with_mails(original: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    return original() | {_KEY: ses._sent_emails}


def _and_mails(original: Callable[[Any], None], data: dict[str, Any]) -> None:
    original(data)
    if _KEY in data:
        ses._sent_emails.update(data[_KEY])
