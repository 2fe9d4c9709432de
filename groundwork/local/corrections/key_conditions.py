"""A query takes the time of what it reads, not of its whole partition.

On AWS a query begins where its key condition does. The emulator puts the condition to every item of
the partition, reading the condition's text anew each time, in the one thread that serves everybody:
30 ms for 400 items. The conditions that boto3 writes are put to each item by three comparisons.
"""

import contextlib
import re
from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import dynamodb

from groundwork.local.hooks import wrap

_SLOT = {"slot": "KeyConditionExpression"}
_FORM = re.compile(
    r"\(?(?P<hash>#\w+) = (?P<value>:\w+)"
    r"(?: AND (?:(?P<ranged>#\w+) BETWEEN (?P<lowest>:\w+) AND (?P<highest>:\w+)"
    r"|begins_with\((?P<prefixed>#\w+), (?P<prefix>:\w+)\)))?\)?"
)


def install() -> None:
    """Compare keys that are texts directly; leave every other condition to the emulator."""
    wrap(
        dynamodb,
        "_evaluate_condition",
        _compared,
        ("expr", "item", "attr_values", "attr_names", "slot"),
    )


def _compared(
    original: Callable[..., bool],
    text: str,
    item: Mapping[str, Any],
    values: Mapping[str, Any],
    names: Mapping[str, str],
    **slot: str,
) -> bool:
    if slot == _SLOT:
        asked = _last_asked
        if asked is None or not asked.is_same(text, values, names):
            asked = _remember(_Asked(text, values, names))
        # Numbers and bytes are no texts.
        with contextlib.suppress(KeyError):
            if asked.holds is not None:
                return asked.holds(item)
    return original(text, item, values, names, **slot)


class _Asked:
    """A query's condition: the same objects come with each item of the partition."""

    def __init__(self, text: str, values: Mapping[str, Any], names: Mapping[str, str]) -> None:
        self._text, self._values, self._names = text, values, names
        self.holds: Callable[[Mapping[str, Any]], bool] | None = None
        if form := _FORM.fullmatch(text):
            with contextlib.suppress(KeyError):
                self.holds = _comparison(form, values, names)

    def is_same(self, text: str, values: Mapping[str, Any], names: Mapping[str, str]) -> bool:
        """Tell whether these are the very objects that this was made from."""
        return text is self._text and values is self._values and names is self._names


_last_asked: _Asked | None = None


def _remember(asked: _Asked) -> _Asked:
    global _last_asked  # noqa: PLW0603
    _last_asked = asked
    return asked


def _comparison(
    form: re.Match[str], values: Mapping[str, Any], names: Mapping[str, str]
) -> Callable[[Mapping[str, Any]], bool]:
    """Return what tells whether an item is within a condition; KeyError if it is not of texts."""

    def wanted(part: str) -> str:
        return str(values[form[part]]["S"])

    hash_name, hash_text = names[form["hash"]], wanted("value")
    if form["ranged"]:
        ranged, lowest, highest = names[form["ranged"]], wanted("lowest"), wanted("highest")
        return lambda item: (
            item[hash_name]["S"] == hash_text and lowest <= item[ranged]["S"] <= highest
        )
    if form["prefixed"]:
        prefixed, prefix = names[form["prefixed"]], wanted("prefix")
        return lambda item: (
            item[hash_name]["S"] == hash_text and item[prefixed]["S"].startswith(prefix)
        )
    return lambda item: item[hash_name]["S"] == hash_text
