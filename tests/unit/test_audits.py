"""Audits: what is drawn, which job is started, and what people's labels show."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from groundwork.audits.audit_job import audit_job_name, audit_job_request, check_has_ended
from groundwork.audits.measuring import measure_audit
from groundwork.audits.sampling import AUDIT_ATTRIBUTE, AuditError, draw_sample
from groundwork.cli import main
from groundwork.results.output_tree import JobOutput, open_output
from tests.support.output_trees import (
    box,
    boxes_line,
    class_line,
    failed_line,
    manifest,
    unlabeled_line,
    write_file,
)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def output_of(folder: Path, lines: list[Any], name: str = "it.manifest") -> JobOutput:
    return open_output(str(write_file(folder, name, manifest(lines))))


def answered(lines: list[dict[str, Any]], labels: Sequence[dict[str, Any] | None]) -> list[Any]:
    """Return an audit's lines with people's labels, or with a failure."""
    found = []
    for line, label in zip(lines, labels, strict=True):
        given = failed_line("x", attribute=AUDIT_ATTRIBUTE) if label is None else label
        found.append({**line, **{k: v for k, v in given.items() if k.startswith(AUDIT_ATTRIBUTE)}})
    return found


def drawn_lines(output: JobOutput, size: int, seed: int = 0) -> list[dict[str, Any]]:
    return [json.loads(line) for line in draw_sample(output, "label", size, seed).lines]


def test_only_whole_machine_labels_are_drawn_each_as_often(tmp_path: Path) -> None:
    machine = [boxes_line(f"{number}.jpg", [box(0)], by="no") for number in range(4)]
    broken = boxes_line("broken.jpg", [box(0)], by="no", changes={"class-map": {}})
    others = [boxes_line("human.jpg", []), failed_line("f.jpg"), unlabeled_line("u.jpg"), "{"]
    output = output_of(tmp_path, [*others, *machine, broken])
    sample = draw_sample(output, "label", 2, 7)
    assert (sample.population, sample.unreadable, len(sample.lines)) == (4, 1, 2)
    assert sample == draw_sample(output, "label", 2, 7)
    first: Counter[str] = Counter()
    for seed in range(400):
        lines = drawn_lines(output, 2, seed)
        assert len({line["source-ref"] for line in lines}) == 2
        first[lines[0]["source-ref"]] += 1
    assert len(first) == 4
    assert min(first.values()) > 70, "each is the first about a hundred times"
    assert len(drawn_lines(output, 100)) == 4


def test_a_job_without_machine_labels_has_nothing_to_audit(tmp_path: Path) -> None:
    output = output_of(tmp_path, [boxes_line("a.jpg", [])])
    with pytest.raises(AuditError, match="has no machine label under 'label'"):
        draw_sample(output, "label", 5, 0)


def test_boxes_are_measured_by_peoples_boxes_and_the_missing_count_nothing(tmp_path: Path) -> None:
    lines = [boxes_line(f"{number}.jpg", [box(0)], by="no") for number in range(40)]
    drawn = drawn_lines(output_of(tmp_path, lines), 20)
    right = boxes_line("x", [box(0)], attribute=AUDIT_ATTRIBUTE)
    nothing = boxes_line("x", [], attribute=AUDIT_ATTRIBUTE)
    labels: list[dict[str, Any] | None] = [*[right] * 18, None, nothing]
    measured = measure_audit(output_of(tmp_path, answered(drawn, labels), "audit.manifest"), 0.95)
    assert (measured.measure, measured.sampled, measured.population) == ("mean IoU", 20, 40)
    assert measured.without_answer == 1
    assert measured.mean == pytest.approx(0.9)
    assert measured.low <= measured.bound < measured.mean < measured.high <= 1


def test_classes_get_the_exact_interval_of_a_finite_population(tmp_path: Path) -> None:
    lines = [class_line(f"{number}.jpg", 0, by="no") for number in range(10)]
    drawn = drawn_lines(output_of(tmp_path, lines), 10)
    labels: list[dict[str, Any] | None] = [
        class_line("x", int(number == 3), attribute=AUDIT_ATTRIBUTE) for number in range(10)
    ]
    output = output_of(tmp_path, answered(drawn, labels), "audit.manifest")
    measured = measure_audit(output, 0.95)
    assert measured.measure == "accuracy"
    # All of them were asked about: nothing is left to chance.
    assert (measured.low, measured.mean, measured.high) == pytest.approx((0.9, 0.9, 0.9))


def test_the_interval_holds_the_mean_of_all_labels(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    lefts = random.integers(0, 12, 120)
    lines = [
        boxes_line(f"{number}.jpg", [box(0, left=10 + int(left))], by="no")
        for number, left in enumerate(lefts)
    ]
    truth = boxes_line("x", [box(0)], attribute=AUDIT_ATTRIBUTE)
    output = output_of(tmp_path, lines)
    overlaps = (30 - lefts) / (30 + lefts)
    held = 0
    for seed in range(40):
        drawn = drawn_lines(output, 40, seed)
        audit = output_of(tmp_path, answered(drawn, [truth] * 40), "audit.manifest")
        measured = measure_audit(audit, 0.9)
        held += measured.low <= overlaps.mean() <= measured.high
        assert measured.high - measured.low < 0.4
    assert held >= 36


def test_what_is_no_finished_audit_is_not_measured(tmp_path: Path) -> None:
    lines = [boxes_line(f"{number}.jpg", [box(0)], by="no") for number in range(3)]
    with pytest.raises(AuditError, match="is no audit's output: line 1"):
        measure_audit(output_of(tmp_path, lines), 0.95)
    drawn = drawn_lines(output_of(tmp_path, lines), 3)
    with pytest.raises(AuditError, match="has not ended: 3 of 3 objects"):
        measure_audit(output_of(tmp_path, drawn, "audit.manifest"), 0.95)


def test_the_audit_job_is_like_the_audited_one_without_automation() -> None:
    task = {"WorkteamArn": "arn", "NumberOfHumanWorkersPerDataObject": 1}
    description = {
        "LabelingJobName": "my-job",
        "LabelAttributeName": "label",
        "InputConfig": {
            "DataSource": {"S3DataSource": {"ManifestS3Uri": "s3://b/in"}},
            "DataAttributes": {"ContentClassifiers": []},
        },
        "OutputConfig": {"S3OutputPath": "s3://b/out", "KmsKeyId": ""},
        "RoleArn": "role",
        "LabelCategoryConfigS3Uri": "s3://b/labels.json",
        "HumanTaskConfig": task,
        "LabelingJobAlgorithmsConfig": {"LabelingJobAlgorithmSpecificationArn": "x"},
        "StoppingConditions": {"MaxHumanLabeledObjectCount": 5},
    }
    request = audit_job_request(
        description, name="my-job-audit-0", manifest="s3://b/a.manifest", workers_per_object=3
    )
    assert request == {
        "LabelingJobName": "my-job-audit-0",
        "LabelAttributeName": "audit",
        "InputConfig": {
            "DataSource": {"S3DataSource": {"ManifestS3Uri": "s3://b/a.manifest"}},
            "DataAttributes": {"ContentClassifiers": []},
        },
        "OutputConfig": {"S3OutputPath": "s3://b/out"},
        "RoleArn": "role",
        "LabelCategoryConfigS3Uri": "s3://b/labels.json",
        "HumanTaskConfig": {**task, "NumberOfHumanWorkersPerDataObject": 3},
    }
    assert task["NumberOfHumanWorkersPerDataObject"] == 1
    assert len(audit_job_name("j" * 63, 12)) == 63


def test_the_commands_draw_and_measure(tmp_path: Path) -> None:
    lines = [boxes_line(f"{number}.jpg", [box(0)], by="no") for number in range(5)]
    job = write_file(tmp_path, "job.manifest", manifest(lines))
    target = tmp_path / "new" / "audit.manifest"
    result = run("audit", "draw", job, "--to", target, "--sample", "4", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["drawn"] == 4
    drawn = [json.loads(line) for line in target.read_text().splitlines()]
    label = boxes_line("x", [box(0)], attribute=AUDIT_ATTRIBUTE)
    target.write_bytes(manifest(answered(drawn, [label] * 4)))
    result = run("audit", "measure", target)
    assert result.exit_code == 0, result.output
    assert "mean IoU against people  1.000 in the sample" in result.stdout
    assert json.loads(run("audit", "measure", target, "--json").stdout)["population"] == 5
    result = run("audit", "draw", target, "--to", tmp_path / "b", "--label-attribute", "audit")
    assert result.exit_code == 1
    assert "has the labels of an audit" in result.stderr


def test_a_job_that_still_labels_is_not_audited() -> None:
    for status in ("Initializing", "InProgress", "Stopping"):
        with pytest.raises(AuditError, match=f"my-job is {status}: it may label more by machine"):
            check_has_ended({"LabelingJobName": "my-job", "LabelingJobStatus": status})
    for status in ("Completed", "Failed", "Stopped"):
        check_has_ended({"LabelingJobName": "my-job", "LabelingJobStatus": status})


def test_a_folder_is_no_manifest_and_is_told_before_anything_is_read(tmp_path: Path) -> None:
    lines = [boxes_line("a.jpg", [box(0)], by="no")]
    job = write_file(tmp_path, "job.manifest", manifest(lines))
    result = run("audit", "draw", job, "--to", tmp_path)
    assert result.exit_code == 2
    assert f"{tmp_path} is a folder; name the manifest file in it." in result.stderr
    result = run("audit", "draw", tmp_path / "none", "--to", "s3://bucket/")
    assert result.exit_code == 2
    assert "s3://bucket/ names no file" in result.stderr


def test_a_seed_is_no_other_seeds_with_a_sign(tmp_path: Path) -> None:
    result = run("audit", "draw", tmp_path, "--to", tmp_path / "a", "--seed", "-1")
    assert result.exit_code == 2
    assert "-1 is not in the range" in result.stderr
