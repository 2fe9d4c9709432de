"""What the demo draws, what it accepts, and what it reports."""

import json
from pathlib import Path

import numpy as np
import pytest

from groundwork.demo.drawing import bounding_box_answer, draw
from groundwork.demo.inputs import DEFAULT_LABEL, DemoInput, DemoInputError, own_input
from groundwork.demo.run import DemoSettings, Summary, fetch_rounds, table_rows, workshop_context
from groundwork.local.workshop import JobState
from groundwork.results.quality import Box, mean_iou
from groundwork.samples import sample
from tests.support.job_fakes import MemoryS3

SIZE = (640, 480)
BOX = {"label": "cup", "left": 1, "top": 2, "width": 30, "height": 40}


def true_boxes(count: int) -> list[list[Box]]:
    return [[Box.from_truth(box) for box in sample(number)[1]] for number in range(count)]


def test_people_draw_about_as_well_as_people_do() -> None:
    random = np.random.default_rng(0)
    truth = true_boxes(12)
    drawn = [(draw(boxes, SIZE, random), boxes) for boxes in truth for _ in range(32)]
    quality = mean_iou(drawn)
    assert quality is not None
    assert 0.85 < quality < 0.89


def test_the_same_seed_draws_the_same() -> None:
    boxes = true_boxes(5)[3]
    first = draw(boxes, SIZE, np.random.default_rng([1, 2]))
    assert draw(boxes, SIZE, np.random.default_rng([1, 2])) == first
    assert draw(boxes, SIZE, np.random.default_rng([1, 3])) != first


def test_boxes_stay_whole_and_inside_the_picture() -> None:
    random = np.random.default_rng(0)
    corners = [Box("cup", 0, 0, 3, 3), Box("cup", 600, 440, 40, 40)]
    for _ in range(200):
        for box in draw(corners, SIZE, random):
            assert all(isinstance(side, int) for side in (box.left, box.top, box.width, box.height))
            assert 0 <= box.left < box.left + box.width <= SIZE[0]
            assert 0 <= box.top < box.top + box.height <= SIZE[1]


def test_answers_have_the_form_of_the_bounding_box_element() -> None:
    assert bounding_box_answer("boundingBox", [Box("cup", 1, 2, 30, 40)], SIZE) == {
        "boundingBox": {
            "boundingBoxes": [BOX],
            "inputImageProperties": {"width": 640, "height": 480},
        }
    }


def photos(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"photo")
    return folder


def test_own_photos_take_labels_and_truth_from_the_truth_file(tmp_path: Path) -> None:
    photos(tmp_path, "a.jpg", "deep/b.PNG", "notes.txt")
    (tmp_path / "truth.json").write_text(json.dumps({"a.jpg": [BOX], "deep/b.PNG": []}))
    chosen = own_input(tmp_path, (), None)
    assert chosen.names == ("a.jpg", "deep/b.PNG")
    assert chosen.labels == ("cup",)
    assert chosen.truth is not None


def test_own_photos_may_come_without_truth(tmp_path: Path) -> None:
    chosen = own_input(photos(tmp_path, "a.jpg"), (), None)
    assert chosen.truth is None
    assert chosen.labels == (DEFAULT_LABEL,)
    assert own_input(tmp_path, ("cup", "jug"), None).labels == ("cup", "jug")


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    photos(tmp_path, "a.jpg", "b.jpg")
    (tmp_path / "t.json").write_text(json.dumps({"a.jpg": [BOX]}))
    with pytest.raises(DemoInputError) as refusal:
        own_input(tmp_path, ("jug", "jug"), tmp_path / "t.json")
    assert len(refusal.value.problems) == 3
    text = str(refusal.value)
    assert "labels: named twice: jug" in text
    assert "1 of 2 images have no entry: b.jpg" in text
    assert "labels that are not in the list of labels: cup" in text


@pytest.mark.parametrize(
    ("folder", "told"), [("none", "does not exist"), ("a.jpg", "is a file"), ("empty", "no .jpeg")]
)
def test_a_folder_without_photos_is_told(tmp_path: Path, folder: str, told: str) -> None:
    photos(tmp_path, "a.jpg")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DemoInputError, match=told):
        own_input(tmp_path / folder, (), tmp_path / "missing.json")


def test_the_summary_has_the_promised_keys() -> None:
    summary = Summary("open", job_name="demo-1", job_status="Completed", seconds={"label": 7.5})
    assert list(json.loads(summary.to_json())) == [
        "engine",
        "job_name",
        "job_status",
        "objects",
        "human_labeled",
        "machine_labeled",
        "failed",
        "human_mean_iou",
        "machine_mean_iou",
        "target",
        "bound",
        "rounds",
        "portal_url",
        "output_manifest",
        "report",
        "seconds",
    ]
    rows = dict(table_rows(summary))
    assert rows["job"] == "demo-1 (Completed)"
    assert rows["people's mean IoU against the truth"] == "no truth"
    assert rows["seconds"] == "label 7.5"
    assert not any("bound" in name for name in rows)


def test_the_table_tells_what_is_proven_of_the_machines_labels_and_what_is_true() -> None:
    summary = Summary("open", machine_mean_iou=0.8896, target=0.6, bound=0.6475, rounds=2)
    rows = dict(table_rows(summary))
    assert rows["machine's mean IoU against the truth"] == "0.890"
    assert rows["its bound, proven with 95 % confidence"] == "0.647"
    assert rows["its target, against people's labels"] == "0.6"
    assert rows["batches of people"] == 2

    nothing = dict(table_rows(Summary("open", target=0.9, rounds=4)))
    assert nothing["its bound, proven with 95 % confidence"] == "no label by machine"


@pytest.mark.parametrize(
    ("settings", "photos", "automated"),
    [
        (DemoSettings(), 30, True),
        (DemoSettings(people_only=True), 200, False),
        (DemoSettings(images=Path("photos")), 199, False),
        (DemoSettings(images=Path("photos")), 200, True),
        (DemoSettings("ground-truth", images=Path("photos")), 1249, False),
        (DemoSettings("ground-truth", images=Path("photos")), 1250, True),
    ],
)
def test_the_machine_labels_a_part_unless_that_is_hopeless_or_unwanted(
    settings: DemoSettings, photos: int, automated: bool
) -> None:
    assert settings.is_automated(photos) is automated


def test_there_are_more_samples_where_the_machine_labels_most_of_them() -> None:
    assert DemoSettings().sample_count == 200
    assert DemoSettings(people_only=True).sample_count == 30
    assert DemoSettings(count=40).sample_count == 40


def test_the_workshop_is_told_of_the_machines_part(tmp_path: Path) -> None:
    chosen = DemoInput(tmp_path, ("a.jpg", "b.jpg", "c.jpg"), ("cup",), None)
    asked = workshop_context(DemoSettings(target=0.7), chosen)
    assert (asked["auto_labeling"], asked["auto_labeling_target"]) == ("true", "0.7")
    assert "auto_labeling_target" not in workshop_context(DemoSettings(), chosen)
    alone = workshop_context(DemoSettings(people_only=True), chosen)
    assert (alone.get("auto_labeling"), alone["batch_size"]) == (None, "2")


class Cloud:
    """A local cloud that has S3 only."""

    def __init__(self) -> None:
        self.s3 = MemoryS3()

    def client(self, service: str) -> MemoryS3:
        assert service == "s3"
        return self.s3


def test_the_records_of_automated_labeling_are_copied_from_the_job_s_folder(tmp_path: Path) -> None:
    cloud, summary, said = Cloud(), Summary("open"), list[str]()
    outcome = {"target": 0.6, "bound": 0.61234, "batches_of_people": 3, "outcome": "All well."}
    for key, data in {
        "job/activelearning/summary.json": json.dumps(outcome).encode(),
        "job/activelearning/1/round.json": b"{}",
        "job/activelearning/1/proposal.npz": b"",
        "job-2/activelearning/summary.json": b"{}",
    }.items():
        cloud.s3.add(f"s3://bucket/manifests/{key}", data)
    job = JobState("job", "Completed", {}, None, "label", None, "s3://bucket/manifests/job")
    folder = tmp_path / "rounds"
    folder.mkdir()
    (folder / "old.json").touch()

    fetch_rounds(cloud, job, folder, summary, said.append)  # type: ignore[arg-type]  # stands in

    copied = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert copied == {"summary.json", "1/round.json"}
    assert (summary.target, summary.bound, summary.rounds) == (0.6, 0.6123, 3)
    assert said[0].startswith("Copied the records of automated labeling s3://bucket/manifests/job/")
    assert said[1] == "Automated labeling: All well."
