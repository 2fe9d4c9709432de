"""Numbers in files that anybody may have written."""

import math
from typing import Any

# No picture is so large, and whatever is computed of smaller ones stays within a float.
LARGEST = 1e12


def number_of(value: Any) -> float | None:
    """Return a number that can be computed with, also one that is written as text; else None."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        return None
    return value if -LARGEST <= value <= LARGEST else None
