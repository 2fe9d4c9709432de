"""The one text of every failure: what failed, what the service said, what to do."""

import json

from groundwork.service import ServiceRefusedError

# CloudFormation takes answers of 4,096 bytes and shows "Response object is too long" in place of
# longer ones; ids and the Provider framework's stack trace need the rest.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
REASON_BYTES = 2400

NEW_CUSTOMERS_HINT = (
    "If this account has not used Ground Truth before: the service takes no new customers since "
    "30 July 2026; deploy with engine=open (cdk deploy --all -c engine=open)."
)


class ResourceFailureError(Exception):
    """A custom resource could not be created, updated or deleted; the message is for the user."""


def failure(
    what: str, *, said: ServiceRefusedError | str | None = None, to_do: str
) -> ResourceFailureError:
    """Return the error of a failed resource, short enough for CloudFormation.

    Parameters
    ----------
    what
        What failed: a sentence that names the thing.
    said
        What the service answered; it is passed on unchanged unless it alone is too long.
    to_do
        What the reader should do next.
    """
    words = f"{said.code}: {said.message}" if isinstance(said, ServiceRefusedError) else said
    ending = f"\nTo do: {to_do}"
    if words:
        beginning = f"{what}\nThe service said: "
        room = REASON_BYTES - _size(beginning) - _size(ending)
        return ResourceFailureError(f"{beginning}{_shortened(words, room)}{ending}")
    return ResourceFailureError(f"{_shortened(what, REASON_BYTES - _size(ending))}{ending}")


def refusal(
    what: str, error: ServiceRefusedError, *, engine: str, to_do: str | None = None
) -> ResourceFailureError:
    """Return the error of a request that the labeling API refused.

    Parameters
    ----------
    what
        What failed: a sentence that names the thing.
    engine
        ``open`` or ``ground-truth``, which some accounts cannot use.
    to_do
        The next step where the refusal is not about access.
    """
    if error.is_access_refusal or "new customer" in error.message.lower():
        to_do = "allow the refused action to this function's role."
        if engine != "open":
            to_do = f"{to_do} {NEW_CUSTOMERS_HINT}"
    return failure(
        what, said=error, to_do=to_do or "correct what the service names and deploy again."
    )


def failure_of_many(what: str, problems: list[str], *, to_do: str) -> ResourceFailureError:
    """Return the error that lists problems, the first ones whole, with a count of the rest."""
    ending = f"\nTo do: {to_do}"
    # The longest sentence that may have to stand in for the problems that found no room.
    rest = f"\n... and {len(problems)} more; all are in the function's log."
    room = REASON_BYTES - _size(what) - _size(ending) - _size(rest)
    lines: list[str] = []
    for number, problem in enumerate(problems, 1):
        line = _shortened(f"\n{number}. {problem}", REASON_BYTES // 3)
        room -= _size(line)
        if room < 0:
            lines.append(
                f"\n... and {len(problems) - number + 1} more; all are in the function's log."
            )
            break
        lines.append(line)
    return ResourceFailureError(f"{what}{''.join(lines)}{ending}")


def _size(text: str) -> int:
    return len(json.dumps(text, ensure_ascii=False).encode()) - 2


def _shortened(text: str, room: int) -> str:
    if _size(text) <= room:
        return text
    kept = text.encode()[: max(0, room - 4)].decode(errors="ignore")
    while kept and _size(kept) > room - 4:
        kept = kept[:-8]
    return f"{kept} ..."
