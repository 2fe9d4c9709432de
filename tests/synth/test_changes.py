"""What a change of configuration changes, and what it warns of."""

from pathlib import Path

import pytest

from groundwork.image_folder import ImageFolder
from tests.support.synthesis import Assembly, synthesize


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Return a folder with two images and a file that is none."""
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    (folder / "a.jpg").write_bytes(b"a")
    (folder / "more" / "b.PNG").write_bytes(b"b")
    (folder / "truth.json").write_text("{}")
    return folder


def _input_hash(assembly: Assembly) -> str:
    found: str = assembly.workshop.one("Custom::LabelingJob")["InputHash"]
    return found


def test_a_job_is_new_when_its_input_is(tmp_path: Path, photos: Path) -> None:
    """The same images and labels are the same job; other labels, images or words are not."""
    same = {"images": str(photos), "labels": "cup,jug"}
    first = _input_hash(synthesize(tmp_path / "1", same))
    (photos / "truth.json").write_text('{"changed": true}')
    again = _input_hash(synthesize(tmp_path / "2", same))
    labels = _input_hash(synthesize(tmp_path / "3", {**same, "labels": "jug,cup"}))
    words = _input_hash(synthesize(tmp_path / "4", {**same, "short_instructions": "Draw."}))
    (photos / "a.jpg").write_bytes(b"other")
    images = _input_hash(synthesize(tmp_path / "5", same))

    assert first == again
    assert len({first, labels, words, images}) == 4


def test_only_images_are_uploaded_from_a_folder(tmp_path: Path, photos: Path) -> None:
    """What else lies there stays there, and folders below it come along."""
    assembly = synthesize(tmp_path / "out", {"images": str(photos), "labels": "cup"})
    uploads = {
        each["Properties"]["DestinationBucketKeyPrefix"]: each["Properties"]["SourceObjectKeys"][0]
        for each in assembly.workshop.all("Custom::CDKBucketDeployment").values()
    }
    staged = assembly.folder / f"asset.{uploads['images'].removesuffix('.zip')}"

    assert ImageFolder.scan(staged).names == ("a.jpg", "more/b.PNG")
    assert not list(staged.rglob("*.json"))


def test_few_images_for_automated_labeling_are_warned_of(tmp_path: Path) -> None:
    """It deploys, as the workshop that this project automates did."""
    assembly = synthesize(tmp_path, {"auto_labeling": "true", "worker_emails": "ana@example.com"})
    (warning,) = (each for each in assembly.findings if "Groundwork:" in each.rule)

    assert warning.rule == "Annotation::Groundwork:auto-labeling-few-images"
    assert "at least 1,250 images" in warning.text
    job = assembly.workshop.one("Custom::LabelingJob")
    assert job["AutoLabeling"] == "true"
    assert job["AlgorithmArn"]["Fn::Join"][1][-1].endswith("/object-detection")
