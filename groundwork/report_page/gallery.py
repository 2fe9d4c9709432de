"""The gallery's objects as the page's script reads them."""

import json
from collections.abc import Iterable
from typing import Any

from groundwork.datasets.model import plain_number
from groundwork.manifest import LabelState
from groundwork.report_page.content import ReportContent, ShownObject
from groundwork.results.doubts import DoubtKind, lowest_confidence
from groundwork.results.kinds import LabelKind
from groundwork.results.quality import Box

# Pictures in one block of the page: a block is taken apart when the first of its pictures is shown.
PER_BLOCK = 200
_STATES = (LabelState.HUMAN, LabelState.MACHINE, LabelState.FAILED)
_DOUBTS = tuple(DoubtKind)
_DIGITS = 3


def gallery_data(content: ReportContent) -> str:
    """Return the JSON document that is inside the page.

    Objects are arrays, to keep the file small; ``fields`` names what is in them.
    """
    classes = _Numbered(name for name, _, _ in content.report.class_rows())
    workers = _Numbered(content.workers)
    prefixes = _Numbered(())
    objects = [_fields(shown, classes, workers, prefixes) for shown in content.shown]
    document = {
        "fields": list(objects[0]) if objects else [],
        "objects": [list(fields.values()) for fields in objects],
        "sources": [state.value for state in _STATES],
        "classes": classes.names,
        "workers": workers.names,
        "prefixes": prefixes.names,
        "doubts": [kind.value for kind in _DOUBTS],
        "perBlock": PER_BLOCK,
    }
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    # Nothing in it can end the script element or begin a comment.
    return text.replace("<", "\\u003c")


class _Numbered:
    """Numbers names in the order in which they first occur."""

    def __init__(self, names: Iterable[str]) -> None:
        self._numbers: dict[str, int] = {}
        for name in names:
            self.of(name)

    @property
    def names(self) -> list[str]:
        return list(self._numbers)

    def of(self, name: str) -> int:
        return self._numbers.setdefault(name, len(self._numbers))


def _fields(
    shown: ShownObject, classes: _Numbered, workers: _Numbered, prefixes: _Numbered
) -> dict[str, Any]:
    found, label = shown.found, shown.label
    folder, slash, name = found.source.rpartition("/")
    size = label.image_size
    # What people's labels carry under that name is how far they agree, 0 for a single one.
    is_machine = found.state is LabelState.MACHINE
    confidences = label.confidences if is_machine else (None,) * len(label.boxes)
    boxes = [
        [classes.of(box.label), *_sides(box), _rounded(confidence)]
        for box, confidence in zip(label.boxes, confidences, strict=False)
    ]
    return {
        "number": found.object_id,
        "name": name,
        "source": _STATES.index(found.state),
        "iteration": shown.iteration,
        "width": size.width if size else 0,
        "height": size.height if size else 0,
        "boxes": boxes,
        "classes": [classes.of(each) for each in label.classes],
        "confidence": _rounded(lowest_confidence(label) if is_machine else None),
        "workers": [workers.of(each) for each in shown.work.workers],
        "agreement": _rounded(shown.work.agreement),
        "score": _rounded(shown.score),
        "doubts": [[_DOUBTS.index(each.kind), _rounded(each.strength)] for each in shown.doubts],
        "truth": None
        if shown.truth is None or label.kind is not LabelKind.BOXES
        else [_sides(box) for box in shown.truth],
        "reason": found.failure_reason or "",
        "prefix": prefixes.of(folder + slash),
    }


def _sides(box: Box) -> list[int | float]:
    sides = (box.left, box.top, box.width, box.height)
    return [plain_number(round(side, 1)) for side in sides]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)
