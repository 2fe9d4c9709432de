"""Several people's answers for one object, made into one label."""

from dataclasses import dataclass
from typing import Any

CONFIDENCE_DIGITS = 4


class AnswerError(ValueError):
    """An answer does not fit the contract of its task; the message says how."""


@dataclass(frozen=True)
class Label:
    """A consolidated label: the attribute's value, and what its metadata says beyond the usual."""

    value: Any
    metadata: dict[str, Any]
