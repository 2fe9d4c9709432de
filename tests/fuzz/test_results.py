"""Output trees and other tools' labels: figures and lines, or what is wrong with which file."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from groundwork.cli import main
from groundwork.datasets.exporting import FORMATS
from groundwork.results.truth import Truth, TruthError
from tests.support.fuzzing import damaged, hostile, hostile_json, hostile_slowly, json_text, mutated
from tests.support.job_fakes import image_bytes
from tests.support.output_trees import (
    box,
    boxes_line,
    class_line,
    failed_line,
    response,
    unlabeled_line,
    write_file,
)

BOXES: list[Any] = [
    boxes_line("a.jpg", [box(1), box(0, 5, 6, 7, 8)]),
    boxes_line("b.jpg", [], by="no"),
    failed_line("c.jpg"),
    unlabeled_line("d.jpg"),
]
CLASSES: list[Any] = [class_line("a.jpg", 1), class_line("b.jpg", "0", by="no")]
ANSWERS: list[Any] = [
    json.loads(response()),
    json.loads(
        response(
            answerContent={
                "boundingBox": {
                    "boundingBoxes": [
                        {"label": "cup", "left": 1, "top": 2, "width": 3, "height": 4}
                    ]
                }
            }
        )
    ),
    json.loads(response(answerContent={"x": {"label": "cup"}}, workerId="ben")),
    json.loads(response(answerContent={"x": {"labels": ["cup", "jug"]}}, timeSpentInSeconds=None)),
]


def run(*arguments: object) -> str:
    """Run a command, which has to end as commands do, and return what it told."""
    result = CliRunner().invoke(main, [str(each) for each in arguments], catch_exceptions=True)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code in (0, 1, 2)
    assert result.exit_code == 0 or result.output.strip()
    return result.output


@hostile_slowly
@given(
    st.lists(hostile_json([*BOXES, *CLASSES]), max_size=3),
    st.sampled_from([BOXES, CLASSES]),
    st.lists(hostile_json(ANSWERS), max_size=2),
    st.sampled_from([None, *FORMATS]),
)
def test_any_output_tree_can_be_looked_at(
    lines: list[bytes], good: list[Any], answers: list[bytes], export: str | None
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "job"
        body = b"\n".join([*map(json_text, good), *lines])
        write_file(folder, "manifests/output/output.manifest", body)
        for number, answer in enumerate(answers):
            path = f"annotations/worker-response/iteration-1/{number}/2026-03-01_09:00:09.json"
            write_file(folder, path, answer)
        if export is None:
            json.loads(run("results", folder, "--json") or "{}")
            run("results", folder)
            # From a folder, as no test asks S3 for pictures.
            page = ("--to", Path(name) / "report.html", "--image-folder", folder)
            run("report", folder, *page, "--json")
        else:
            run(
                "export", folder, "--format", export, "--to", Path(name) / "out", "--images", "none"
            )


@hostile
@given(hostile_json([{"a.jpg": [{"label": "cup", "left": 1, "top": 2, "width": 3, "height": 4}]}]))
def test_a_truth_file_is_read_or_says_what_is_wrong(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = write_file(Path(name), "truth.json", data)
        try:
            truth = Truth.read(path)
        except TruthError as error:
            assert str(path) in str(error)
            assert len(str(error)) < 10_000
        else:
            assert all(
                each.width > 0 and each.height > 0
                for boxes in truth.boxes.values()
                for each in boxes
            )


COCO: list[Any] = [
    {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 64, "height": 48}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 2, "bbox": [1, 2, 3, 4], "labeled_by": "human"}
        ],
        "categories": [{"id": 2, "name": "cup"}],
    }
]
YOLO: list[Any] = [
    {"train": "images/train", "val": "images/train", "names": {0: "cup", 1: "jug"}},
    {"path": ".", "train": ["images/train"], "names": ["cup"]},
]
YOLO_LINES = b"0 0.5 0.5 0.2 0.2\n1 0.1 0.1 0.1 0.1\n"
VOC = b"""<annotation><filename>a.jpg</filename>
<size><width>64</width><height>48</height><depth>3</depth></size>
<object><name>cup</name>
<bndbox><xmin>2</xmin><ymin>3</ymin><xmax>20</xmax><ymax>30</ymax></bndbox></object></annotation>"""
LAUGHS = b"""<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<annotation><filename>&b;</filename></annotation>"""
XML_NUMBERS = [b"nan", b"inf", b"-1", b"1e400", b"9" * 5_000, b"", "٣".encode(), b"&a;", b"1e300"]


@st.composite
def voc_file(draw: st.DrawFn) -> bytes:
    """Draw an annotation, with a number that is none or damaged as a whole."""
    data = VOC
    for old in draw(st.lists(st.sampled_from([b"64", b"48", b">2<", b">30<", b"cup", b"a.jpg"]))):
        new = draw(st.sampled_from(XML_NUMBERS))
        data = data.replace(old, b">" + new + b"<" if old.startswith(b">") else new, 1)
    if draw(st.booleans()):
        return draw(damaged(data))
    return draw(st.sampled_from([data, data, LAUGHS]))


@st.composite
def data_set(draw: st.DrawFn) -> tuple[str, Mapping[str, bytes]]:
    """Draw a data set as its files by their paths."""
    kind = draw(st.sampled_from(["coco", "yolo", "voc"]))
    picture = image_bytes()
    if kind == "coco":
        files = {"annotations/instances_train.json": draw(hostile_json(COCO)), "a.jpg": picture}
    elif kind == "voc":
        files = {"Annotations/a.xml": draw(voc_file()), "JPEGImages/a.jpg": picture}
        files["labels.txt"] = draw(st.sampled_from([b"cup\n", b"\xff\n", b"jug\r\ncup"]))
    else:
        settings = draw(mutated(YOLO))
        text = draw(
            st.one_of(
                st.just(json_text(settings)),
                damaged(yaml.safe_dump(YOLO[0]).encode()),
                st.sampled_from([b"a: &a [*a]\nnames: *a", b"names: !!python/object:os.system x"]),
            )
        )
        files = {"data.yaml": text, "images/train/a.jpg": picture}
        files["labels/train/a.txt"] = draw(
            st.one_of(
                damaged(YOLO_LINES),
                st.sampled_from([b"0 nan 0.5 0.5 0.5", b"9" * 5_000 + b" 1 1 1 1", b"-1 1 1 1 1"]),
            )
        )
    return kind, files


@hostile
@given(data_set())
def test_any_data_set_is_brought_in_or_says_what_is_wrong(
    drawn: tuple[str, Mapping[str, bytes]],
) -> None:
    kind, files = drawn
    with tempfile.TemporaryDirectory() as name:
        for path, data in files.items():
            write_file(Path(name) / "set", path, data)
        target = Path(name) / "out" / "in.manifest"
        run("import", Path(name) / "set", "--format", kind, "--to", target, "--json")
        if target.exists():
            for line in target.read_bytes().splitlines():
                json.loads(line, parse_constant=lambda name: 1 / 0)
