"""Validation of requests against the SDK's own description of the SageMaker service.

botocore's validator checks required members, types and lower bounds only. Here every constraint of
the model is checked, and every problem of a request is found.
"""

import re
import unicodedata
import warnings
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any

import botocore.session

_SHOWN_CHARACTERS = 200
# The years 1 to 9999 that a datetime can have.
_EARLIEST_EPOCH_SECONDS = -62_135_596_800
_LATEST_EPOCH_SECONDS = 253_402_214_400
_REDACTED = "***"
_TYPE_NAMES = {
    "string": "String",
    "integer": "Integer",
    "long": "Long",
    "float": "Float",
    "double": "Double",
    "boolean": "Boolean",
    "timestamp": "Timestamp",
    "list": "List",
    "map": "Map",
    "structure": "Structure",
}


@cache
def _model() -> Any:
    return botocore.session.get_session().get_service_model("sagemaker")


def is_operation(operation: str) -> bool:
    """Tell whether SageMaker has this operation, whoever implements it."""
    return operation in _model().operation_names


def validate(operation: str, request: Mapping[str, Any]) -> list[str]:
    """Return every way in which a request breaks the service model, in the service's wording.

    Members that are None count as absent, as they do for the service.
    """
    return list(_problems(_input_shape(operation), request, ""))


def parse_request(operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return a valid request without empty members and with timestamps as aware datetimes."""
    parsed: dict[str, Any] = _parse(_input_shape(operation), request)
    return parsed


def output_problems(operation: str, response: Mapping[str, Any]) -> list[str]:
    """Return every way in which a response breaks the service model."""
    shape = _model().operation_model(operation).output_shape
    if shape is None:
        return [f"{operation} answers nothing, but the response has {sorted(response)}"] * bool(
            response
        )
    return list(_problems(shape, response, ""))


def _input_shape(operation: str) -> Any:
    return _model().operation_model(operation).input_shape


def _problems(shape: Any, value: Any, path: str) -> Iterator[str]:
    if not _has_type(shape, value):
        yield _problem(shape, value, path, f"Member must be of type {_TYPE_NAMES[shape.type_name]}")
        return
    yield from (_problem(shape, value, path, text) for text in _broken_constraints(shape, value))
    if shape.type_name == "structure":
        yield from _structure_problems(shape, value, path)
    elif shape.type_name == "list":
        for number, entry in enumerate(value, start=1):
            yield from _problems(shape.member, entry, f"{path}.{number}.member")
    elif shape.type_name == "map":
        for key, entry in value.items():
            yield from _problems(shape.key, key, f"{path}.key")
            yield from _problems(shape.value, entry, f"{path}.{key}")


def _structure_problems(shape: Any, value: Mapping[str, Any], path: str) -> Iterator[str]:
    for name in shape.required_members:
        if value.get(name) is None:
            member = shape.members[name]
            yield _problem(member, None, _child(path, name), "Member must not be null")
    for name, entry in value.items():
        if name not in shape.members:
            known = ", ".join(shape.members)
            # No value: what was meant by the name is unknown, and it may be a secret.
            yield _sentence(
                f"Value '{_REDACTED}'", _child(path, name), f"Member is not known; known: [{known}]"
            )
        elif entry is not None:
            yield from _problems(shape.members[name], entry, _child(path, name))


def _broken_constraints(shape: Any, value: Any) -> Iterator[str]:
    constraints = shape.metadata
    if shape.type_name in ("string", "list", "map"):
        size, noun = len(value), "length"
    elif shape.type_name in ("integer", "long", "float", "double"):
        size, noun = value, "value"
    else:
        return
    if "max" in constraints and size > constraints["max"]:
        yield f"Member must have {noun} less than or equal to {constraints['max']}"
    if "min" in constraints and size < constraints["min"]:
        yield f"Member must have {noun} greater than or equal to {constraints['min']}"
    if shape.type_name != "string":
        return
    pattern = constraints.get("pattern")
    if pattern and not matches_pattern(pattern, value):
        yield f"Member must satisfy regular expression pattern: {pattern}"
    if shape.enum and value not in shape.enum:
        yield f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"


def _has_type(shape: Any, value: Any) -> bool:
    kind = shape.type_name
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind in ("integer", "long"):
        return number and isinstance(value, int)
    if kind == "timestamp":
        return isinstance(value, datetime) or (
            number and _EARLIEST_EPOCH_SECONDS <= value <= _LATEST_EPOCH_SECONDS
        )
    expected = {
        "string": isinstance(value, str),
        "boolean": isinstance(value, bool),
        "float": number,
        "double": number,
        "list": isinstance(value, list | tuple),
        "map": isinstance(value, Mapping),
        "structure": isinstance(value, Mapping),
    }
    return expected[kind]


def _problem(shape: Any, value: Any, path: str, constraint: str) -> str:
    return _sentence(_shown(shape, value), path or "request", constraint)


def _sentence(shown: str, place: str, constraint: str) -> str:
    return f"{shown} at '{place}' failed to satisfy constraint: {constraint}"


def _shown(shape: Any, value: Any) -> str:
    if value is None:
        return "Value null"
    if shape.metadata.get("sensitive"):
        return f"Value '{_REDACTED}'"
    text = str(value)
    if len(text) > _SHOWN_CHARACTERS:
        text = f"{text[:_SHOWN_CHARACTERS]}..."
    return f"Value '{text}'"


def _child(path: str, name: str) -> str:
    # The service writes members as its Java code names them: humanTaskConfig.taskTitle.
    camel = name[:1].lower() + name[1:]
    return f"{path}.{camel}" if path else camel


def _parse(shape: Any, value: Any) -> Any:
    if shape.type_name == "structure":
        return {
            name: _parse(shape.members[name], entry)
            for name, entry in value.items()
            if entry is not None
        }
    if shape.type_name == "list":
        return [_parse(shape.member, entry) for entry in value]
    if shape.type_name == "timestamp" and not isinstance(value, datetime):
        return datetime.fromtimestamp(value, UTC)
    return value


def matches_pattern(pattern: str, text: str) -> bool:
    r"""Tell whether the whole text matches one of the service model's patterns, which are Java's.

    Python has no ``\p{L}`` and the like. Where a pattern has them, every character beyond ASCII is
    replaced by a private one that stands for its general category, in the pattern and in the text.
    """
    if r"\p{" in pattern:
        text = "".join(char if char.isascii() else _stand_in(char) for char in text)
    return _compiled(pattern).fullmatch(text) is not None


# The general categories that the model's patterns use, and their ASCII characters.
_CATEGORIES = {
    "L": "a-zA-Z",
    "M": "",
    "N": "0-9",
    "P": r"!-#%-*,-/:;?@\[-\]_{}",
    "S": r"$+<->\^`|~",
    "Z": " ",
}
_FIRST_STAND_IN = 0xE000
_NO_CATEGORY = chr(_FIRST_STAND_IN + len(_CATEGORIES))


def _stand_in(char: str) -> str:
    category = unicodedata.category(char)[0]
    if category not in _CATEGORIES:
        return _NO_CATEGORY
    return chr(_FIRST_STAND_IN + list(_CATEGORIES).index(category))


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    def characters(match: re.Match[str]) -> str:
        category = match[1]
        return _CATEGORIES[category] + chr(_FIRST_STAND_IN + list(_CATEGORIES).index(category))

    with warnings.catch_warnings():
        # Python announces set operations inside brackets, which the model's patterns do not mean.
        warnings.simplefilter("ignore", FutureWarning)
        return re.compile(re.sub(r"\\p\{([A-Z])\}", characters, pattern))
