"""Pictures that a model looks at several times: what is fetched, and what is kept."""

import io
from collections import Counter
from concurrent.futures import Future
from typing import Any

import pytest
from PIL import Image

from groundwork.images import ImageError, ImageFacts
from groundwork.jobs.automation import pictures
from groundwork.jobs.automation.pictures import PictureSource

FACTS = ImageFacts("png", 8, 6, 3, 1)


def a_picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 6)).save(file, "PNG")
    return file.getvalue()


class Bucket:
    """Counts how often each picture is fetched."""

    def __init__(self, gone: frozenset[int] = frozenset()) -> None:
        self.data = a_picture()
        self.gone = gone
        self.fetched: Counter[int] = Counter()

    def fetch(self, object_id: int) -> bytes:
        self.fetched[object_id] += 1
        if object_id in self.gone:
            raise ImageError("gone")
        return self.data


def source(bucket: Bucket, objects: int) -> PictureSource:
    return PictureSource(bucket.fetch, range(objects), lambda object_id: FACTS)


def test_files_stay_while_there_is_room() -> None:
    bucket = Bucket()
    with source(bucket, 100) as opened:
        for object_id in [*range(100), *range(100)]:
            assert opened.open(object_id).width == 8

    assert bucket.fetched == Counter(range(100))


def test_what_nobody_has_looked_at_for_longest_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = Bucket()
    monkeypatch.setattr(pictures, "_KEPT_BYTES", 60 * len(bucket.data))
    with source(bucket, 100) as opened:
        for object_id in range(100):
            opened.open(object_id)
            opened.open(0)
        for object_id in range(60, 100):
            opened.open(object_id)
        assert bucket.fetched == Counter(range(100))
        opened.open(20)

    assert bucket.fetched[20] == 2


def test_a_look_at_a_picture_asks_for_no_other_s_file(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0
    result = Future.result

    def counting(future: Future[Any], timeout: float | None = None) -> Any:
        nonlocal asked
        asked += 1
        return result(future, timeout)

    with source(Bucket(), 300) as opened:
        for object_id in range(300):
            opened.open(object_id)
        monkeypatch.setattr(Future, "result", counting)
        opened.open(299)

    assert asked == 1


def test_a_picture_that_is_gone_is_grey_and_keeps_its_size() -> None:
    with source(Bucket(gone=frozenset({3})), 10) as opened:
        picture = opened.open(3)

    assert (picture.width, picture.height) == (8, 6)
    assert picture.image.getpixel((0, 0)) == (127, 127, 127)
