"""Labels go out to other formats and come back as they were."""

import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from groundwork.cli.labels import _ImportTarget
from groundwork.cli.manifest_place import ManifestPlace
from groundwork.datasets.exporting import ExportSettings, ExportSummary, export_labels
from groundwork.datasets.image_files import ImageMode
from groundwork.datasets.importing import (
    ImportSummary,
    label_categories,
    manifest_lines,
    read_dataset,
)
from groundwork.datasets.model import TRAIN, DatasetError, ReadImage
from groundwork.datasets.splitting import Splitter
from groundwork.manifest import LabelState
from groundwork.results.labels import ImageSize
from groundwork.results.output_tree import open_output
from groundwork.s3_client import S3Client
from tests.support.job_fakes import MemoryS3, image_bytes
from tests.support.output_trees import (
    NAMES,
    box,
    boxes_line,
    class_line,
    failed_line,
    manifest,
    unlabeled_line,
    write_file,
)

WIDTH, HEIGHT = 97, 61
MOMENT = datetime(2026, 3, 1, 9, tzinfo=UTC)
CLASS_NAMES = dict(enumerate(NAMES))


@st.composite
def placed_boxes(draw: Any) -> dict[str, Any]:
    """Return a box of whole pixels inside the image."""
    left = draw(st.integers(0, WIDTH - 1))
    top = draw(st.integers(0, HEIGHT - 1))
    width = draw(st.integers(1, WIDTH - left))
    height = draw(st.integers(1, HEIGHT - top))
    return box(draw(st.integers(0, 2)), left, top, width, height)


def exported(
    folder: Path, lines: Sequence[Any], kind: str, **changes: Any
) -> tuple[Path, ExportSummary]:
    """Export a manifest whose images are made for it; return the data set's folder."""
    photos = folder / "photos"
    for line in lines:
        if isinstance(line, dict) and "source-ref" in line:
            name = line["source-ref"].partition("photos/")[2]
            write_file(photos, name, image_bytes(WIDTH, HEIGHT))
    path = write_file(folder, "in.manifest", manifest(lines))
    target = folder / kind
    options = {"image_folder": photos, **changes}
    summary = export_labels(
        open_output(str(path)),
        "label",
        CLASS_NAMES,
        ExportSettings(format=kind, folder=target, **options),
    )
    return target, summary


def imported(dataset: Path, kind: str) -> tuple[list[dict[str, Any]], ImportSummary]:
    """Import a data set; return the manifest's lines."""
    summary = ImportSummary()
    found = read_dataset(kind, dataset)
    lines = manifest_lines(
        found,
        ((image, f"s3://bucket/photos/{image.name}") for image in found.images),
        label_attribute="label",
        job_name="again",
        moment=MOMENT,
        summary=summary,
    )
    return [json.loads(line) for line in lines], summary


def contents(lines: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what has to survive: by image its size, and its boxes by class name."""
    return {
        line["source-ref"]: (
            line["label"]["image_size"],
            [
                {**each, "class_id": line["label-metadata"]["class-map"][str(each["class_id"])]}
                for each in line["label"]["annotations"]
            ],
        )
        for line in lines
    }


@pytest.mark.parametrize("kind", ["coco", "yolo", "voc"])
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.lists(placed_boxes(), max_size=4), min_size=1, max_size=4), st.booleans())
def test_labels_come_back_as_they_went_out(
    kind: str, images: list[list[dict[str, Any]]], split: bool
) -> None:
    """Export, import and export again: the same images, sizes, boxes, classes and class ids."""
    with tempfile.TemporaryDirectory() as folder:
        lines = [
            boxes_line(f"sub/{number}.jpg", boxes, size=(WIDTH, HEIGHT))
            for number, boxes in enumerate(images)
        ]
        first, _ = exported(Path(folder) / "one", lines, kind, train_share=0.5 if split else None)
        back, summary = imported(first, kind)
        assert summary.problems == []
        assert summary.classes == NAMES
        # Names are below the images' common folder.
        renamed = {
            uri.replace("photos/", "photos/sub/"): content
            for uri, content in contents(back).items()
        }
        assert renamed == contents(lines)
        second, _ = exported(Path(folder) / "two", back, kind)
        again, _ = imported(second, kind)
        assert contents(again) == contents(back)


def test_an_imported_line_is_what_a_labeling_job_writes(tmp_path: Path) -> None:
    line = boxes_line("a.jpg", [box(2, 1, 2, 3, 4)], size=(WIDTH, HEIGHT))
    dataset, _ = exported(tmp_path, [line], "yolo")
    [back], summary = imported(dataset, "yolo")
    assert back == {
        "source-ref": "s3://bucket/photos/a.jpg",
        "label": {
            "image_size": [{"width": WIDTH, "height": HEIGHT, "depth": 3}],
            "annotations": [{"class_id": 2, "left": 1, "top": 2, "width": 3, "height": 4}],
        },
        "label-metadata": {
            "objects": [{"confidence": 0}],
            "class-map": {"2": "pot"},
            "type": "groundtruth/object-detection",
            "human-annotated": "yes",
            "creation-date": "2026-03-01T09:00:00.000000",
            "job-name": "labeling-job/again",
        },
    }
    assert json.loads(label_categories(summary.classes)) == {
        "document-version": "2018-11-28",
        "labels": [{"label": name} for name in NAMES],
    }


def test_yolo_has_normalised_centres_and_an_empty_file_for_nothing(tmp_path: Path) -> None:
    lines = [
        boxes_line("a.jpg", [box(1, 10, 20, 30, 40)], size=(100, 200)),
        boxes_line("b.jpg", [], size=(100, 200)),
    ]
    dataset, _ = exported(tmp_path, lines, "yolo")
    assert (dataset / "labels/train/a.txt").read_text() == "1 0.25 0.2 0.3 0.2\n"
    assert (dataset / "labels/train/b.txt").read_text() == ""
    assert yaml.safe_load((dataset / "data.yaml").read_text()) == {
        "train": "images/train",
        "val": "images/train",
        "names": {0: "cup", 1: "jug", 2: "pot"},
    }
    assert (dataset / "images/train/b.jpg").is_file()


def test_yolo_has_a_folder_for_each_class_of_images(tmp_path: Path) -> None:
    dataset, _ = exported(tmp_path, [class_line("a.jpg", 0), class_line("b.jpg", 2)], "yolo")
    found = {path.relative_to(dataset).as_posix() for path in dataset.rglob("*.jpg")}
    assert found == {"train/cup/a.jpg", "train/pot/b.jpg"}


def test_coco_has_what_its_readers_look_for(tmp_path: Path) -> None:
    lines = [
        boxes_line("a.jpg", [box(1, 1, 2, 3, 4)], size=(WIDTH, HEIGHT)),
        boxes_line("b.jpg", [box(0, 0, 0, 5, 5)], by="no", size=(WIDTH, HEIGHT)),
    ]
    dataset, _ = exported(tmp_path, lines, "coco")
    document = json.loads((dataset / "annotations/instances_train.json").read_text())
    assert [each["id"] for each in document["images"]] == [1, 2]
    assert document["images"][0]["width"] == WIDTH
    assert document["categories"][1] == {"id": 2, "name": "jug", "supercategory": ""}
    assert document["annotations"][0] == {
        "id": 1,
        "image_id": 1,
        "category_id": 2,
        "bbox": [1, 2, 3, 4],
        "area": 12,
        "iscrowd": 0,
        "segmentation": [],
        "labeled_by": "human",
    }
    back, _ = imported(dataset, "coco")
    assert [line["label-metadata"]["human-annotated"] for line in back] == ["yes", "no"]


def test_voc_counts_pixels_from_one_and_includes_the_last(tmp_path: Path) -> None:
    line = boxes_line("a.jpg", [box(0, 0, 0, 1, 1)], size=(WIDTH, HEIGHT))
    dataset, _ = exported(tmp_path, [line], "voc")
    text = (dataset / "Annotations/a.xml").read_text()
    for side in ("xmin", "ymin", "xmax", "ymax"):
        assert f"<{side}>1</{side}>" in text
    assert (dataset / "ImageSets/Main/train.txt").read_text() == "a\n"


def test_hugging_face_has_a_line_for_each_image(tmp_path: Path) -> None:
    lines = [
        boxes_line("a.jpg", [box(1, 1, 2, 3, 4)], size=(WIDTH, HEIGHT)),
        boxes_line("b.jpg", [], size=(WIDTH, HEIGHT)),
    ]
    dataset, _ = exported(tmp_path, lines, "hf", train_share=0.5)
    read = []
    for split in ("train", "validation"):
        text = (dataset / split / "metadata.jsonl").read_text()
        for line in map(json.loads, text.splitlines()):
            assert (dataset / split / line["file_name"]).is_file()
            read.append(line)
    objects = {line["file_name"]: line["objects"] for line in read}
    assert objects == {
        "a.jpg": {"bbox": [[1.0, 2.0, 3.0, 4.0]], "categories": [1]},
        "b.jpg": {"bbox": [], "categories": []},
    }


def test_label_studio_takes_people_as_annotations_and_the_machine_as_predictions(
    tmp_path: Path,
) -> None:
    lines = [
        boxes_line("a.jpg", [box(1, 10, 20, 30, 40)], size=(100, 200)),
        boxes_line("b.jpg", [box(0)], by="no", size=(100, 200), confidence=0.7),
    ]
    dataset, _ = exported(tmp_path, lines, "label-studio", images=ImageMode.NONE)
    human, machine = json.loads((dataset / "tasks.json").read_text())
    [result] = human["annotations"][0]["result"]
    assert result["value"] == {
        "x": 10.0,
        "y": 10.0,
        "width": 30.0,
        "height": 20.0,
        "rotation": 0,
        "rectanglelabels": ["jug"],
    }
    assert human["data"]["image"] == "s3://bucket/photos/a.jpg"
    assert machine["predictions"][0]["score"] == 0.7
    assert '<Label value="jug"/>' in (dataset / "label_config.xml").read_text()


def test_csv_has_a_row_for_each_box_and_for_an_image_without_any(tmp_path: Path) -> None:
    lines = [
        boxes_line("a.jpg", [box(1, 1, 2, 3, 4), box(0)], size=(WIDTH, HEIGHT)),
        boxes_line("b.jpg", [], size=(WIDTH, HEIGHT)),
    ]
    dataset, _ = exported(tmp_path, lines, "csv")
    rows = (dataset / "labels.csv").read_text().splitlines()
    assert rows[1] == "a.jpg,train,s3://bucket/photos/a.jpg,human,jug,0.9,1,2,3,4,97,61"
    assert rows[3] == "b.jpg,train,s3://bucket/photos/b.jpg,human,,,,,,,97,61"
    assert len(rows) == 4


def test_only_labeled_objects_of_the_chosen_maker_are_exported(tmp_path: Path) -> None:
    lines = [
        boxes_line("a.jpg", [], size=(WIDTH, HEIGHT)),
        boxes_line("b.jpg", [box(0)], by="no", size=(WIDTH, HEIGHT)),
        failed_line("c.jpg"),
        unlabeled_line("d.jpg"),
        "{",
    ]
    dataset, summary = exported(tmp_path, lines, "csv", only=LabelState.MACHINE)
    assert [path.name for path in dataset.rglob("*.jpg")] == ["b.jpg"]
    assert summary.left_out == {
        "labeled by people": 1,
        "failed": 1,
        "unlabeled": 1,
        "broken line": 1,
    }


def test_images_of_the_same_name_in_other_folders_stay_apart(tmp_path: Path) -> None:
    lines = [
        boxes_line(name, [box(number, 0, 0, 9, 9)], size=(WIDTH, HEIGHT))
        for number, name in enumerate(("x/a.jpg", "y/a.jpg", "y/A.png"))
    ]
    dataset, _ = exported(tmp_path, lines, "yolo")
    labels = sorted(path.relative_to(dataset).as_posix() for path in dataset.rglob("*.txt"))
    assert labels == ["labels/train/x/a.txt", "labels/train/y/A_2.txt", "labels/train/y/a.txt"]


def test_no_name_leads_out_of_the_folder(tmp_path: Path) -> None:
    line = class_line("a.jpg", 0, changes={"class-name": "../../up"})
    line["source-ref"] = "s3://bucket/photos/../../../a.jpg"
    write_file(tmp_path, "photos/a.jpg", image_bytes())
    path = write_file(tmp_path, "in.manifest", manifest([line]))
    export_labels(
        open_output(str(path)),
        "label",
        {},
        ExportSettings("yolo", tmp_path / "out" / "set", image_folder=tmp_path / "photos"),
    )
    assert [each.name for each in (tmp_path / "out/set").rglob("*.jpg")] == ["a.jpg"]
    assert {each.name for each in tmp_path.iterdir()} == {"photos", "in.manifest", "out"}


def test_boxes_are_cut_at_the_images_edges(tmp_path: Path) -> None:
    boxes = [box(0, -5, 50, 20, 40), box(1, WIDTH + 3, 0, 5, 5)]
    dataset, summary = exported(
        tmp_path, [boxes_line("a.jpg", boxes, size=(WIDTH, HEIGHT))], "coco"
    )
    document = json.loads((dataset / "annotations/instances_train.json").read_text())
    assert [each["bbox"] for each in document["annotations"]] == [[0, 50, 15, HEIGHT - 50]]
    assert summary.left_out["box outside its image"] == 1


def test_an_unknown_size_is_read_from_the_image(tmp_path: Path) -> None:
    line = boxes_line("a.jpg", [box(0, 0, 0, 9, 9)])
    del line["label"]["image_size"]
    dataset, _ = exported(tmp_path, [line], "coco")
    document = json.loads((dataset / "annotations/instances_train.json").read_text())
    assert (document["images"][0]["width"], document["images"][0]["height"]) == (WIDTH, HEIGHT)


def test_images_are_linked_where_that_is_asked_for(tmp_path: Path) -> None:
    line = boxes_line("a.jpg", [], size=(WIDTH, HEIGHT))
    dataset, _ = exported(tmp_path, [line], "yolo", images=ImageMode.LINK)
    linked = dataset / "images/train/a.jpg"
    assert linked.samefile(tmp_path / "photos/a.jpg")


def test_images_in_s3_are_downloaded_and_missing_ones_told(tmp_path: Path) -> None:
    s3 = MemoryS3()
    data = image_bytes(WIDTH, HEIGHT)
    lines = [boxes_line(f"{number}.jpg", [], size=(WIDTH, HEIGHT)) for number in range(100)]
    for line in lines[1:]:
        s3.add(line["source-ref"], data)
    path = write_file(tmp_path, "in.manifest", manifest(lines))
    summary = export_labels(
        open_output(str(path)),
        "label",
        {},
        ExportSettings("coco", tmp_path / "set"),
        client=S3Client(s3),
    )
    assert summary.images == {TRAIN: 99}
    assert summary.left_out == {"image cannot be had": 1}
    assert "s3://bucket/photos/0.jpg" in summary.problems[0]
    assert (tmp_path / "set/images/train/7.jpg").read_bytes() == data
    document = json.loads((tmp_path / "set/annotations/instances_train.json").read_text())
    assert [image["id"] for image in document["images"]] == list(range(2, 101))


@given(
    st.dictionaries(
        st.frozensets(st.sampled_from("abcd"), max_size=3), st.integers(1, 40), min_size=1
    ),
    st.floats(0.05, 0.95),
    st.integers(0, 5),
)
def test_a_split_has_exactly_its_share_and_that_of_each_stratum(
    images: dict[frozenset[str], int], share: float, seed: int
) -> None:
    order = [classes for classes, count in images.items() for _ in range(count)]
    splitter = Splitter(images, share, seed)
    drawn = [splitter.split_of(classes) for classes in order]
    total = len(order)
    assert abs(drawn.count(TRAIN) - share * total) <= 0.5 + 1e-6
    with_class = Counter(name for classes in order for name in classes)
    strata: dict[str, list[str]] = {}
    for classes, split in zip(order, drawn, strict=True):
        rarest = min(classes, key=lambda name: (with_class[name], name), default="")
        strata.setdefault(rarest, []).append(split)
    for splits in strata.values():
        assert abs(splits.count(TRAIN) - share * len(splits)) <= 1 + 1e-6
    again = Splitter(images, share, seed)
    assert [again.split_of(classes) for classes in order] == drawn


def test_another_seed_draws_another_split() -> None:
    images = {frozenset({"cup"}): 40}
    draws = []
    for seed in (0, 1):
        splitter = Splitter(images, 0.5, seed)
        draws.append([splitter.split_of(frozenset({"cup"})) for _ in range(40)])
    assert draws[0] != draws[1]


@pytest.mark.parametrize(
    ("kind", "files", "message"),
    [
        ("coco", {}, "no COCO annotations"),
        ("coco", {"annotations/a.json": "{"}, "cannot be read as JSON"),
        ("coco", {"annotations/a.json": "{}"}, "no list images, annotations, categories"),
        ("yolo", {}, r"no data\.yaml"),
        ("yolo", {"data.yaml": "train: images"}, 'has no "names"'),
        ("yolo", {"data.yaml": "names: [a]\ntrain: images/train"}, "folders of images that are"),
        ("voc", {}, "no VOC annotations"),
    ],
)
def test_what_is_no_data_set_of_the_format_is_told(
    tmp_path: Path, kind: str, files: dict[str, str], message: str
) -> None:
    for name, text in files.items():
        write_file(tmp_path, name, text)
    with pytest.raises(DatasetError, match=message):
        read_dataset(kind, tmp_path)


def test_broken_labels_are_told_and_the_others_taken(tmp_path: Path) -> None:
    write_file(tmp_path, "data.yaml", "names: [cup]\ntrain: images/train\n")
    for name in ("a", "b"):
        write_file(tmp_path, f"images/train/{name}.jpg", image_bytes(100, 100))
    text = "0 0.5 0.5 0.2 0.2\n7 0.5 0.5 0.1 0.1\n0 50 50 20 20\n0 0.5\n"
    write_file(tmp_path, "labels/train/a.txt", text)
    lines, summary = imported(tmp_path, "yolo")
    assert [line["label"]["annotations"] for line in lines] == [[box(0, 40, 40, 20, 20)]]
    told = "\n".join(summary.problems)
    assert "line 2 is '7 0.5 0.5 0.1 0.1', not a class below 1" in told
    assert "line 3 is not in shares from 0 to 1" in told
    assert "line 4 is '0 0.5'" in told
    assert "b.jpg has no label file" in told


def test_labels_for_another_size_than_the_image_has_are_told(tmp_path: Path) -> None:
    line = boxes_line("a.jpg", [box(0, 0, 0, 9, 9)], size=(640, 480))
    dataset, _ = exported(tmp_path, [line], "coco")
    _, summary = imported(dataset, "coco")
    assert summary.problems == [
        "a.jpg has 97 x 61 pixels, but its labels are for 640 x 480; they are left as they are"
    ]


def test_xml_with_entities_is_not_read(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE a [<!ENTITY b "c">]><annotation>&b;</annotation>'
    write_file(tmp_path, "Annotations/a.xml", bomb)
    lines, summary = imported(tmp_path, "voc")
    assert lines == []
    assert "left out" in summary.problems[0]


def test_images_that_ask_to_be_rotated_are_counted(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    lines = [boxes_line(f"{name}.jpg", [], size=(WIDTH, HEIGHT)) for name in "ab"]
    path = write_file(tmp_path, "in.manifest", manifest(lines))
    write_file(tmp_path, "photos/a.jpg", image_bytes(WIDTH, HEIGHT, exif=exif))
    write_file(tmp_path, "photos/b.jpg", image_bytes(WIDTH, HEIGHT))
    for mode in (ImageMode.COPY, ImageMode.LINK):
        summary = export_labels(
            open_output(str(path)),
            "label",
            {},
            ExportSettings(
                "coco", tmp_path / mode.value, images=mode, image_folder=tmp_path / "photos"
            ),
        )
        assert summary.rotated == 1


@pytest.mark.parametrize(
    ("kind", "path", "data", "problem"),
    [
        ("coco", "annotations/instances_a.json", b"[" * 5_000, "nested too deeply"),
        (
            "coco",
            "annotations/instances_a.json",
            b'{"images": [], "annotations": [], "categories": [{"name": "cup"}]}',
            "a category is {'name': 'cup'}, not",
        ),
        ("voc", "labels.txt", b"caf\xe9", "labels.txt is not UTF-8 at byte 3"),
        ("yolo", "data.yaml", b"names: " + b"[" * 3_000, "cannot be read as YAML"),
        ("yolo", "data.yaml", b"names: {a: 1, 2: b}", 'has no "names"'),
        ("yolo", "data.yaml", b'{names: [a], train: "\\ud800"}', "'\\ud800'"),
        ("yolo", "data.yaml", b'{names: [a], path: "a\\0b", train: "c\\0d"}', "'c\\x00d'"),
        ("yolo", "data.yaml", b"{names: [a], train: " + b"x" * 5_000 + b"}", "that are not there"),
    ],
)
def test_a_data_set_that_cannot_be_read_says_why(
    tmp_path: Path, kind: str, path: str, data: bytes, problem: str
) -> None:
    write_file(tmp_path, "Annotations/a.xml", b"<annotation/>")
    write_file(tmp_path, path, data)
    with pytest.raises(DatasetError) as refused:
        read_dataset(kind, tmp_path)
    assert problem in str(refused.value)


def test_numbers_that_are_none_are_left_out_and_told(tmp_path: Path) -> None:
    sides = ("nan", "inf", "1e400", "")
    write_file(
        tmp_path,
        "Annotations/a.xml",
        "<annotation><size><width>64</width><height>48</height></size>"
        + "".join(
            f"<object><name>cup</name><bndbox><xmin>{side}</xmin><ymin>1</ymin><xmax>9</xmax>"
            "<ymax>9</ymax></bndbox></object>"
            for side in sides
        )
        + "</annotation>",
    )
    ((line,), summary) = imported(tmp_path, "voc")
    assert line["label"]["annotations"] == []
    assert len(summary.problems) == len(sides)


def test_an_image_is_below_the_folder_whatever_its_labels_say(tmp_path: Path) -> None:
    secret = write_file(tmp_path, "secret.txt", b"credentials")
    document = {
        "images": [{"id": 1, "file_name": str(secret), "width": 1, "height": 1}],
        "annotations": [],
        "categories": [{"id": 1, "name": "cup"}],
    }
    write_file(tmp_path, "set/annotations/instances_a.json", json.dumps(document))

    (image,) = read_dataset("coco", tmp_path / "set").images

    assert image.path is None


def test_only_images_are_uploaded_beside_a_manifest(tmp_path: Path) -> None:
    secret = write_file(tmp_path, "set/a.jpg", b"credentials")
    store = S3Client(MemoryS3())
    target = _ImportTarget(ManifestPlace("s3://bucket/in.manifest", store), None, tmp_path / "set")

    with pytest.raises(DatasetError, match="is neither JPEG nor PNG and is not uploaded"):
        list(target.placed([ReadImage("a.jpg", ImageSize(1, 1), (), secret)]))


def test_images_are_uploaded_side_by_side_and_told_in_order(tmp_path: Path) -> None:
    at_once = Barrier(3, timeout=10)

    class SlowS3(MemoryS3):
        def put_object(self, Bucket: str, Key: str, Body: bytes, **arguments: Any) -> Any:  # noqa: N803
            at_once.wait()
            return super().put_object(Bucket, Key, Body, **arguments)

    place = ManifestPlace("s3://bucket/in/it.manifest", S3Client(SlowS3()))
    picture = write_file(tmp_path, "a.jpg", image_bytes(4, 4))
    images = [ReadImage(f"{number}.jpg", ImageSize(4, 4), (), picture) for number in range(6)]
    placed = list(_ImportTarget(place, None, tmp_path).placed(images))
    assert placed == [(image, f"s3://bucket/in/images/{image.name}") for image in images]
