"""Pages of a sorted listing, with tokens that survive changes between two pages."""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from groundwork.contract.errors import ValidationError
from groundwork.json_text import read_json

Entry = TypeVar("Entry")
SortKey = tuple[str, str]

# The service does not document its own; this is what its other listings use.
DEFAULT_PAGE_SIZE = 10


def time_key(moment: datetime) -> str:
    """Return a text by which points in time sort."""
    return f"{moment.timestamp():020.6f}"


def page(
    entries: Sequence[Entry],
    key: Callable[[Entry], SortKey],
    request: Mapping[str, Any],
    *,
    default_size: int = DEFAULT_PAGE_SIZE,
) -> tuple[list[Entry], dict[str, str]]:
    """Return the entries of the requested page, and ``NextToken`` for the answer if there are more.

    Parameters
    ----------
    entries
        Everything that the request's filters leave.
    key
        What to sort by; different for any two entries.
    request
        The listing's parameters, of which SortOrder, MaxResults and NextToken are heeded here.
    default_size
        The page's size without MaxResults.
    """
    descending = request.get("SortOrder", "Ascending") == "Descending"
    ordered = sorted(entries, key=key, reverse=descending)
    query = _digest(request)
    if token := request.get("NextToken"):
        last = _read_token(token, query)
        ordered = [
            entry for entry in ordered if (key(entry) < last if descending else key(entry) > last)
        ]
    size = request.get("MaxResults", default_size)
    shown = ordered[:size]
    if len(ordered) <= size:
        return shown, {}
    return shown, {"NextToken": _write_token(key(shown[-1]), query)}


def _digest(request: Mapping[str, Any]) -> str:
    """Identify a listing apart from which page of it is asked for."""
    query = {key: value for key, value in request.items() if key not in ("NextToken", "MaxResults")}
    return hashlib.sha256(json.dumps(query, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _write_token(last: SortKey, query: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([*last, query]).encode()).decode()


def _read_token(token: str, query: str) -> SortKey:
    try:
        first, second, origin = read_json(base64.urlsafe_b64decode(token.encode()))
    except (binascii.Error, ValueError, TypeError) as error:
        raise ValidationError("NextToken is not one that this listing gave out") from error
    if origin != query:
        raise ValidationError(
            "NextToken belongs to a listing with other filters or another order; repeat the "
            "parameters of the request that gave it out, or leave it out"
        )
    return str(first), str(second)
