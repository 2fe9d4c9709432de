"""The commands on results: what they print, and how they end."""

import io
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from groundwork.cli import main, terminal
from groundwork.samples import generate
from tests.support.output_trees import (
    box,
    boxes_line,
    class_line,
    manifest,
    write_file,
    write_tree,
)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """A finished job on two sample photos."""
    photos = tmp_path / "photos"
    truth = json.loads(generate(photos, 2, seed=3).read_text())
    classes = {"Beacon": 0, "Comet": 1, "Harbor": 2}
    lines: list[Any] = []
    for name, boxes in truth.items():
        places = [{key: each[key] for key in ("left", "top", "width", "height")} for each in boxes]
        ids = [classes[each["label"]] for each in boxes]
        line = boxes_line(name, [{"class_id": i, **p} for i, p in zip(ids, places, strict=True)])
        line["label-metadata"]["class-map"] = {str(classes[key]): key for key in classes}
        lines.append(line)
    return write_tree(tmp_path / "job", lines)


def test_results_are_shown_as_a_table_and_as_json(job: Path) -> None:
    truth = job.parent / "photos" / "truth.json"
    result = run("results", job, "--truth", truth)
    assert result.exit_code == 0
    assert "labeled by people   2 (100.0%)" in result.stdout
    assert "people: mean IoU    1.000 against the truth, over 2 objects" in result.stdout
    document = json.loads(run("results", job, "--truth", truth, "--json").stdout)
    assert "; 95% interval 0.342 to 1.000 (Wilson's score interval)" in result.stdout
    assert document["states"]["human"] == 2
    assert document["quality"]["human"]["mean"] == 1.0


def test_square_brackets_in_names_are_no_styles(tmp_path: Path) -> None:
    line = boxes_line("a.jpg", [box(0)], changes={"class-map": {"0": "[red]cup[/red]"}})
    path = write_file(tmp_path, "it.manifest", manifest([line]))
    assert "[red]cup[/red]" in run("results", path).stdout


def test_a_column_that_no_job_can_have_written_is_passed_over(tmp_path: Path) -> None:
    line = boxes_line("a.jpg", [box(0)])
    odd = {f'o"d{end}': line[f"label{end}"] for end in ("", "-metadata")}
    path = write_file(tmp_path, "it.manifest", manifest([line | odd, line | odd]))
    result = run("results", path, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["label_attribute"] == "label"


def test_mistakes_end_with_one_message_and_the_code_that_fits(job: Path, tmp_path: Path) -> None:
    result = run("results", tmp_path / "nowhere")
    assert result.exit_code == 1
    assert "There is no" in result.stderr
    assert "Traceback" not in result.stderr
    result = run("results", job, "--label-attribute", "lable")
    assert result.exit_code == 2
    assert "there are label" in result.stderr
    result = run("results", job, "--label-attribute", 'la\x1b"bel')
    assert result.exit_code == 2
    assert "is no label attribute" in result.stderr
    result = run("results", job, "--truth", job / "none.json")
    assert result.exit_code == 1
    assert "cannot be read" in result.stderr
    result = run("export", job, "--format", "voc")
    assert result.exit_code == 2
    assert "--to" in result.stderr


def test_export_and_import_tell_what_they_wrote(job: Path, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    dataset, target = tmp_path / "dataset", tmp_path / "in" / "again.manifest"
    result = run(
        "export",
        job,
        "--format",
        "yolo",
        "--to",
        dataset,
        "--image-folder",
        photos,
        "--split",
        "0.5",
        "--json",
    )
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert {split: each["images"] for split, each in document["splits"].items()} == {
        "train": 1,
        "val": 1,
    }
    result = run("import", dataset, "--format", "yolo", "--to", target)
    assert result.exit_code == 0, result.stderr
    assert "2 images with" in result.stdout
    assert "--image-prefix" in result.stdout
    labels = json.loads((target.parent / "labels.json").read_text())
    assert [each["label"] for each in labels["labels"]] == ["Beacon", "Comet", "Harbor"]

    again = run("results", target, "--truth", photos / "truth.json", "--json")
    assert json.loads(again.stdout)["quality"]["human"]["mean"] == pytest.approx(1.0)


def test_what_a_format_cannot_hold_is_wrong_usage_and_names_those_that_can(
    job: Path, tmp_path: Path
) -> None:
    path = write_file(tmp_path, "classes.manifest", manifest([class_line("a.jpg", 0)]))
    result = run("export", path, "--format", "coco", "--to", tmp_path / "out")
    assert result.exit_code == 2
    assert "these can: yolo, label-studio, csv, hf" in result.stderr
    result = run("export", job, "--format", "yolo", "--to", tmp_path, "--images", "none")
    assert result.exit_code == 2
    assert "yolo needs the image files" in result.stderr
    assert "is not an empty folder" in result.stderr


def test_nothing_to_export_is_a_problem_of_the_data(job: Path, tmp_path: Path) -> None:
    result = run("export", job, "--format", "csv", "--to", tmp_path / "a", "--only", "machine")
    assert result.exit_code == 1
    assert "no object is labeled by machine under 'label'" in result.stderr
    result = run("export", job, "--format", "csv", "--to", tmp_path / "b", "--image-folder", job)
    assert result.exit_code == 1
    assert "none of 2 images can be had" in result.stderr
    assert "there is no" in result.stderr
    assert not (tmp_path / "b").exists(), "what was begun keeps from trying again"


def test_images_that_cannot_be_reached_leave_their_objects_out(job: Path, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    (photos / "sample-00001.jpg").unlink()
    result = run(
        "export", job, "--format", "coco", "--to", tmp_path / "out", "--image-folder", photos
    )
    assert result.exit_code == 0
    assert "NOTE: left out, image cannot be had: 1" in result.stdout
    document = json.loads((tmp_path / "out/annotations/instances_train.json").read_text())
    assert [image["file_name"] for image in document["images"]] == ["sample-00000.jpg"]


def test_status_asks_for_what_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cdk.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    result = run("status", "--region", "eu-west-1")
    assert result.exit_code == 2
    assert "--region belongs to --aws" in result.stderr
    result = run("status", "my-job")
    assert result.exit_code == 1
    assert "groundwork up" in result.stderr
    assert json.loads(run("status", "--json").stdout) == {"running": False}


def test_names_in_a_job_do_not_steer_the_terminal(tmp_path: Path) -> None:
    evil = "\x1b]0;owned\x07\x1b[2J\x9b2Jname"
    line = boxes_line(
        evil, [box(0)], job=f"labeling-job/{evil}", changes={"class-map": {"0": evil}}
    )
    job = write_tree(tmp_path / "job", [line])
    refused = run("results", tmp_path / evil)
    assert refused.exit_code
    for output in (run("results", job).stdout, refused.stderr):
        assert "name" in output
        assert not set(output) & {"\x1b", "\x07", "\x9b"}


def test_names_with_half_a_surrogate_pair_can_be_shown_and_written(tmp_path: Path) -> None:
    """JSON may have such names, and neither terminals nor files."""
    line = class_line("a.jpg", 1, changes={"class-name": "c\ud800p"})
    place = write_file(tmp_path, "in.manifest", manifest([line]))
    for arguments in (
        ("results", place),
        ("results", place, "--json"),
        ("export", place, "--format", "csv", "--to", tmp_path / "csv", "--images", "none"),
        ("report", place, "--to", tmp_path / "report.html"),
    ):
        result = run(*arguments)
        assert result.exit_code == 0, result.output
    assert "c\ufffdp" in run("results", place, "--json").stdout


def test_file_names_that_are_not_utf_8_are_shown_with_escapes(tmp_path: Path, job: Path) -> None:
    target = tmp_path / os.fsdecode(b"caf\xe9.html")
    result = run("report", job, "--to", target)
    assert result.exit_code == 0, result.output
    assert r"caf\udce9.html" in result.output


def test_a_template_that_is_not_utf_8_is_told(tmp_path: Path, job: Path) -> None:
    template = write_file(tmp_path, "t.html", b"caf\xe9")
    result = run("preflight", tmp_path / "photos", "--labels", "a", "--template", template)
    assert result.exit_code == 1
    assert "t.html is not UTF-8 at byte 3; save the template as UTF-8." in result.output


def test_long_work_shows_on_a_terminal_how_far_it_is(
    job: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = tmp_path / "dataset"
    run("export", job, "--format", "coco", "--to", dataset, "--image-folder", tmp_path / "photos")
    shown = io.StringIO()
    monkeypatch.setattr(terminal, "_err", Console(file=shown, force_terminal=True, width=100))
    result = run("import", dataset, "--format", "coco", "--to", tmp_path / "again.manifest")
    assert result.exit_code == 0, result.stderr
    assert re.search("Importing.*2 images", shown.getvalue())
    result = run("workers", "report", job)
    assert result.exit_code == 0, result.stderr
    assert re.search("Reading answers.*objects", shown.getvalue())
