"""How many hostile inputs a property is tried with, and documents that are wrong in places.

The suite tries the same few every time. ``make fuzz`` tries many, others in every run; a failure
there belongs into the tests of the module as an example of its own, before it is mended.
"""

import copy
import json
import os
from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

_ANY_TIME: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
}
settings.register_profile("quick", max_examples=25, derandomize=True, database=None, **_ANY_TIME)
settings.register_profile(
    "fuzz", max_examples=int(os.environ.get("FUZZ_EXAMPLES", "5000")), **_ANY_TIME
)
hostile = settings.get_profile(os.environ.get("FUZZ_PROFILE", "quick"))
# For properties that run a whole command or job for each example.
hostile_slowly = settings(hostile, max_examples=max(1, hostile.max_examples // 4))

# Values that no document in memory can hold; ``json_text`` writes them.
_WRITTEN = {
    "@nested-90@": "[" * 90 + "]" * 90,
    "@nested-900@": "[" * 900 + "]" * 900,
    "@nested-9000@": "[" * 9_000 + "]" * 9_000,
    "@objects@": '{"a":' * 950 + "1" + "}" * 950,
    "@huge@": "9" * 400,
    "@longer@": "9" * 5_000,
    "@infinite@": "1e999",
    "@nan@": "NaN",
    "@infinity@": "-Infinity",
    "@half@": '"\\ud800"',
}
WRITTEN_ODDLY = tuple(_WRITTEN)

ODD_TEXTS = (
    "",
    " ",
    "\x00",
    "\n",
    "..",
    "한국어 라벨",
    "👩‍🌾",
    "\u202egnp.exe",
    "a,b;c\"d'e`f",
    "<script>alert(1)</script>",
    "{{ 7 | times: 7 }}",
    "%s%n{0}${x}",
    "s3://",
    "s3://[/x",
    "s3://bucket",
    "s3://bad bucket!/a.jpg",
    "s3://b/" + "x" * 1_100,
    "arn:aws:sagemaker:::",
    "-1",
    "1e309",
    "0x10",
    "٣",
    "²",
    "x" * 300,
    "y" * 20_500,
)
ODD_VALUES: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from([None, True, False, 0, -1, 1, 0.5, -0.0, 2**31, 2**63, -(2**64), 1e308]),
    st.sampled_from(["[]", "{}", [], {}, [[]], [None], {"": None}, [0], ["a", "a"]]),
    st.sampled_from(ODD_TEXTS),
    st.sampled_from(WRITTEN_ODDLY),
    st.text(max_size=20),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
)

Path = tuple[Any, ...]


@st.composite
def mutated(draw: st.DrawFn, documents: Sequence[Any], most: int = 3) -> Any:
    """Draw a valid document with some of its parts lost, doubled, renamed or of another type."""
    document = [copy.deepcopy(draw(st.sampled_from(documents)))]
    for _ in range(draw(st.integers(1, most))):
        paths = list(_paths(document))
        if paths:
            _mutate(draw, document, draw(st.sampled_from(paths)))
    return document[0] if document else None


def json_text(document: Any) -> bytes:
    """Return a document as JSON, with what only text can hold in its place."""
    text = json.dumps(document)
    for marker, written in _WRITTEN.items():
        text = text.replace(json.dumps(marker), written)
    return text.encode()


@st.composite
def hostile_json(draw: st.DrawFn, documents: Sequence[Any]) -> bytes:
    """Draw the bytes of a mutated document, sometimes damaged as bytes, sometimes no JSON."""
    how = draw(st.integers(0, 9))
    if how == 0:
        return draw(st.binary(max_size=60))
    data = json_text(draw(mutated(documents)))
    if how > 4:
        return data
    return draw(damaged(data))


@st.composite
def damaged(draw: st.DrawFn, data: bytes) -> bytes:
    """Draw a file that was cut off, overwritten in places, doubled, or saved in another coding."""
    how = draw(st.sampled_from(["cut", "overwrite", "insert", "double", "bom", "utf-16", "lines"]))
    place = draw(st.integers(0, max(0, len(data) - 1)))
    junk = draw(st.binary(min_size=1, max_size=8))
    changed = {
        "cut": data[:place],
        "overwrite": data[:place] + junk + data[place + len(junk) :],
        "insert": data[:place] + junk + data[place:],
        "double": data + data,
        "bom": b"\xef\xbb\xbf" + data,
        "utf-16": data.decode("utf-8", "replace").encode("utf-16"),
        "lines": data.replace(b"\n", b"\r\n"),
    }
    return changed[how]


def _paths(value: Any, path: Path = ()) -> list[Path]:
    found = [path] if path else []
    if isinstance(value, dict):
        entries = list(value.items())
    elif isinstance(value, list):
        entries = list(enumerate(value))
    else:
        return found
    for key, entry in entries:
        found += _paths(entry, (*path, key))
    return found


def _mutate(draw: st.DrawFn, root: Any, path: Path) -> None:
    holder = root
    for key in path[:-1]:
        holder = holder[key]
    key = path[-1]
    how = draw(st.sampled_from(["replace", "replace", "delete", "wrap", "double", "rename"]))
    if how == "replace":
        holder[key] = copy.deepcopy(draw(ODD_VALUES))
    elif how == "delete":
        del holder[key]
    elif how == "wrap":
        holder[key] = draw(st.sampled_from([[holder[key]], {"x": holder[key]}]))
    elif isinstance(holder, list):
        holder.insert(key, copy.deepcopy(holder[key]))
    elif how == "rename":
        holder[draw(st.sampled_from(ODD_TEXTS))] = holder.pop(key)
    else:
        holder[f"{key}2"] = copy.deepcopy(holder[key])
