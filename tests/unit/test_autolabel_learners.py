"""Both learners, from pictures to labels, on small drawn pictures with the real network."""

import io
from collections.abc import Sequence
from functools import partial

import numpy as np
import pytest
from PIL import Image, ImageDraw

from groundwork.autolabel.arrays import pack, unpack
from groundwork.autolabel.backbone.network import Backbone
from groundwork.autolabel.boxes.decision import BoxLabel
from groundwork.autolabel.boxes.learner import BoxLearner
from groundwork.autolabel.classes.learner import ClassLearner
from groundwork.autolabel.learner import Example, KnownObject, Learner
from groundwork.autolabel.pictures import open_picture

SHAPES = 2


def drawn(number: int) -> tuple[bytes, BoxLabel]:
    """Return a picture with a disc or a frame, as a JPEG file, and where it is."""
    random = np.random.default_rng([7, number])
    kind = number % SHAPES
    noise = random.integers(150, 220, (180, 240, 3), np.uint8)
    image = Image.fromarray(noise)
    side = int(random.integers(50, 90))
    left, top = int(random.integers(5, 235 - side)), int(random.integers(5, 175 - side))
    corners = (left, top, left + side, top + side)
    if kind == 0:
        ImageDraw.Draw(image).ellipse(corners, fill=(200, 30, 30))
    else:
        ImageDraw.Draw(image).rectangle(corners, outline=(20, 40, 160), width=12)
    file = io.BytesIO()
    image.save(file, "JPEG")
    return file.getvalue(), BoxLabel(np.array([corners], float), np.array([kind]))


def known(learner: Learner, files: Sequence[bytes], first: int = 0) -> list[KnownObject]:
    records = learner.features([open_picture(file) for file in files])
    assert all(len(record) == learner.record_bytes for record in records)
    return [
        KnownObject(first + index, record, partial(open_picture, file))
        for index, (file, record) in enumerate(zip(files, records, strict=True))
    ]


FILES, BOXES = zip(*(drawn(number) for number in range(32)), strict=True)
LEARNED = 24


@pytest.fixture(scope="module")
def boxes() -> tuple[BoxLearner, list[KnownObject]]:
    learner = BoxLearner(Backbone.of_this_machine())
    return learner, known(learner, FILES)


@pytest.fixture(scope="module")
def classes() -> tuple[ClassLearner, list[KnownObject]]:
    learner = ClassLearner(Backbone.of_this_machine())
    return learner, known(learner, FILES)


def test_boxes_are_found_where_they_are(boxes: tuple[BoxLearner, list[KnownObject]]) -> None:
    learner, objects = boxes
    examples = [Example(each, label) for each, label in zip(objects[:LEARNED], BOXES, strict=False)]
    trained = learner.train(examples, SHAPES, {}, 0)
    assert trained.evidence.scores.shape == trained.evidence.forecasts.shape == (LEARNED,)
    model = unpack(pack(trained.model))
    found = learner.predict(model, objects[LEARNED:], SHAPES)
    assert [each.object_id for each in found] == list(range(LEARNED, len(FILES)))
    scores = [learner.score(each.label, BOXES[each.object_id]) for each in found]
    assert np.mean(scores) > 0.6
    for each in found:
        assert 0 <= each.forecast <= 1
        assert len(each.confidences) == len(each.label.boxes)
        assert (each.label.boxes >= 0).all()
        assert (each.label.boxes <= [240, 180, 240, 180]).all()
    again = learner.train(examples, SHAPES, trained.kept, 0)
    assert all(np.array_equal(trained.model[name], again.model[name]) for name in trained.model)


def test_pictures_of_every_kind_are_labeled(
    boxes: tuple[BoxLearner, list[KnownObject]],
) -> None:
    learner, objects = boxes
    nothing = BoxLabel(np.zeros((0, 4)), np.zeros(0, np.intp))
    # No object in most images, one class that never appears, one box far outside its image.
    labels = [BOXES[index] if index % 3 == 0 else nothing for index in range(24)]
    labels[3] = BoxLabel(np.array([[-500.0, -40.0, 9000.0, 7000.0]]), np.array([1]))
    examples = [Example(each, label) for each, label in zip(objects[:24], labels, strict=True)]
    trained = learner.train(examples, SHAPES + 1, {}, 0)
    odd = [saved(Image.new(mode, size, colour)) for mode, size, colour in ODD]
    found = learner.predict(trained.model, known(learner, odd, first=100), SHAPES + 1)
    assert len(found) == len(odd)
    for each, (_, (width, height), _) in zip(found, ODD, strict=True):
        assert 0 <= each.forecast <= 1
        assert (each.label.boxes >= 0).all()
        assert (each.label.boxes <= [width, height, width, height]).all()


ODD: list[tuple[str, tuple[int, int], int | tuple[int, ...]]] = [
    ("L", (200, 100), 90),
    ("CMYK", (64, 64), (10, 200, 30, 0)),
    ("RGB", (1, 1), (255, 0, 0)),
    ("RGB", (3840, 2160), (0, 90, 0)),
    ("RGB", (2000, 3), (1, 2, 3)),
]


def saved(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG")
    return file.getvalue()


def test_a_single_box_among_many_pictures_is_enough_to_train(
    boxes: tuple[BoxLearner, list[KnownObject]],
) -> None:
    learner, objects = boxes
    nothing = BoxLabel(np.zeros((0, 4)), np.zeros(0, np.intp))
    labels = [BOXES[0], *[nothing] * 11]
    examples = [Example(each, label) for each, label in zip(objects[:12], labels, strict=True)]
    trained = learner.train(examples, SHAPES, {}, 0)
    found = learner.predict(trained.model, objects[20:24], SHAPES)
    assert all(0 <= each.forecast <= 1 for each in found)


def test_classes_are_told_apart(classes: tuple[ClassLearner, list[KnownObject]]) -> None:
    learner, objects = classes
    examples = [Example(each, each.object_id % SHAPES) for each in objects[:LEARNED]]
    trained = learner.train(examples, SHAPES, {}, 0)
    found = learner.predict(unpack(pack(trained.model)), objects[LEARNED:], SHAPES)
    right = [learner.score(each.label, each.object_id % SHAPES) for each in found]
    assert np.mean(right) > 0.85
    assert trained.evidence.scores.mean() > 0.85


def test_one_class_only_is_what_everything_is(
    classes: tuple[ClassLearner, list[KnownObject]],
) -> None:
    learner, objects = classes
    trained = learner.train([Example(each, 1) for each in objects[:20]], 3, {}, 0)
    assert {each.label for each in learner.predict(trained.model, objects[20:], 3)} == {1}


def test_duplicates_do_no_harm(classes: tuple[ClassLearner, list[KnownObject]]) -> None:
    learner, objects = classes
    examples = [Example(each, each.object_id % SHAPES) for each in objects[:8]] * 5
    trained = learner.train(examples, SHAPES, {}, 0)
    found = learner.predict(trained.model, objects[8:], SHAPES)
    assert all(np.isfinite(each.forecast) for each in found)
