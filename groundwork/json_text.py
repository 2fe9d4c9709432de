"""JSON from outside: read under limits that whatever is read here can be written and sent again.

Python's own reader takes numbers that no JSON may have, which browsers then refuse, and nesting
that takes down whoever walks it later, with fewer frames of the stack left than the reader had.
"""

import json
import math
from typing import Any, NoReturn

# Labels, answers and requests have a handful of levels. Anything in a process may recurse so deep.
MAXIMUM_DEPTH = 100
# The whole numbers of 64 bits and some more; each turns into a finite float.
_MAXIMUM_INTEGER_DIGITS = 300


class JsonTextError(ValueError):
    """A text is no JSON; the message says why and where."""


class JsonLimitError(JsonTextError):
    """A text is JSON beyond the limits of what can be handed on; the message says which."""


def read_json(data: bytes | str, *, refuse_halves: bool = False) -> Any:
    """Return what a JSON text says.

    Parameters
    ----------
    refuse_halves
        Whether half of a surrogate pair, which JSON may have as an escape and no text, is an error;
        else it becomes the replacement character, as it does in browsers.

    Raises
    ------
    JsonTextError
        If it is no UTF-8 or no JSON. JsonLimitError if it is nested more than 100 deep or has a
        number beyond what a float can hold.
    """
    try:
        text = data if isinstance(data, str) else data.decode("utf-8")
        value = _DECODER.decode(text)
    except UnicodeDecodeError as error:
        raise JsonTextError(f"not UTF-8 at byte {error.start}") from None
    except RecursionError:
        raise _too_deep() from None
    except json.JSONDecodeError as error:
        raise JsonTextError(f"{error.msg} at character {error.pos + 1}") from None
    if text.count("[") + text.count("{") > MAXIMUM_DEPTH and _is_deep(value):
        raise _too_deep()
    if ("\\ud" in text or "\\uD" in text) and _has_half(value):
        if refuse_halves:
            raise JsonLimitError("there is half of a surrogate pair, which no text may have")
        return _mended(value)
    return value


def _has_half(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_mended(entry) for entry in value]
    if isinstance(value, dict):
        return {_mended(key): _mended(entry) for key, entry in value.items()}
    return value


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAXIMUM_DEPTH):
        level = [
            entry
            for each in level
            for entry in (each.values() if isinstance(each, dict) else each)
            if isinstance(entry, dict | list)
        ]
        if not level:
            return False
    return True


def _too_deep() -> JsonLimitError:
    return JsonLimitError(f"nested too deeply; at most {MAXIMUM_DEPTH} levels are accepted")


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise JsonLimitError(f"{_shown(text)} is larger than any number may be")
    return value


def _integer(text: str) -> int:
    if len(text) > _MAXIMUM_INTEGER_DIGITS:
        raise JsonLimitError(f"{_shown(text)} is larger than any number may be")
    return int(text)


def _constant(name: str) -> NoReturn:
    raise JsonTextError(f"{name} is not a JSON value")


def _shown(text: str) -> str:
    return text if len(text) <= 20 else f"{text[:20]}…"


_DECODER = json.JSONDecoder(parse_float=_float, parse_int=_integer, parse_constant=_constant)
