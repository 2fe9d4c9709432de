"""What a job costs: planned from a configuration, and counted from an output."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from groundwork.cli import main
from groundwork.costs.estimate import EstimateError, plan_job, read_configuration
from groundwork.costs.ledger import Bill
from groundwork.costs.prices import GROUND_TRUTH_OBJECT
from groundwork.s3_client import S3Client
from tests.support.job_fakes import MemoryS3
from tests.support.output_trees import box, boxes_line, unlabeled_line, write_file, write_tree


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def configured(folder: Path, text: str) -> dict[str, Any]:
    return read_configuration(write_file(folder, "workshop.yaml", text))


def test_an_estimate_follows_the_configuration(tmp_path: Path) -> None:
    for name in ("a.jpg", "b/c.PNG", "notes.txt"):
        write_file(tmp_path, f"photos/{name}", b"x" * 1000)
    settings = configured(
        tmp_path, "engine: open\nimages: photos\nworkers_per_object: 3\nauto_labeling: true\n"
    )
    plan = plan_job(settings, machine_share=0.5)
    usage = plan.usage()
    assert (plan.objects, plan.image_bytes) == (2, 2000)
    assert (usage.human, usage.machine, usage.answers, usage.answer_seconds) == (1, 1, 3, 60)
    assert plan_job(settings).machine_share == pytest.approx(1 / 3)


def test_a_manifests_objects_are_counted() -> None:
    s3 = MemoryS3()
    s3.add("s3://bucket/in.manifest", b'{"source-ref": "a"}\n{"source-ref": "b"}')
    settings = {**read_configuration(None), "manifest": "s3://bucket/in.manifest"}
    assert plan_job(settings, client=S3Client(s3)).objects == 2


def test_more_by_machine_costs_less_and_ground_truths_price_is_for_every_object() -> None:
    settings = read_configuration(None)
    by_people = Bill(plan_job(settings, objects=10_000).usage(), hourly_wage=15)
    by_both = Bill(plan_job(settings, objects=10_000, machine_share=0.6).usage(), hourly_wage=15)
    assert by_people.people_usd == pytest.approx(10_000 * 20 / 3600 * 15)
    assert by_both.people_usd == pytest.approx(0.4 * (by_people.people_usd or 0))
    for bill in (by_people, by_both):
        labels, storage = bill.usage.ground_truth_items()
        assert labels.usd == pytest.approx(800)
        assert storage in list(bill.usage.engine_items())
        assert bill.ground_truth_usd == pytest.approx(800 + storage.usd)
        assert bill.engine_usd < 10
    assert Bill(by_people.usage).people_usd is None
    assert by_people.usage.storage_item().name == "S3: images and output for a month"
    assert by_both.usage.storage_item().name == "S3: images, features and output for a month"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("workers_per_object: 12\nengine: mine", "engine: got 'mine'.*workers_per_object: got 12"),
        ("auto_labeling: maybe", "auto_labeling: got 'maybe'"),
        ("images: nowhere", "there is no folder"),
        ("manifest: here", "manifest: "),
        ("- a", "must be a mapping"),
        ("a: [", "is not YAML"),
    ],
)
def test_what_is_wrong_with_a_configuration_is_told_at_once(
    tmp_path: Path, text: str, problem: str
) -> None:
    with pytest.raises(EstimateError, match=problem):
        plan_job(configured(tmp_path, text))


def test_a_jobs_ledger_counts_labels_answers_time_and_storage(tmp_path: Path) -> None:
    lines = [
        boxes_line("a.jpg", [box(0)]),
        boxes_line("b.jpg", [box(0)], by="no"),
        unlabeled_line("c.jpg"),
    ]
    job = write_tree(tmp_path / "job", lines)
    record = {
        "iteration": 0,
        "pictures": {"seconds": 3.0},
        "seconds": {"people": 60, "training": 2},
    }
    write_file(job, "activelearning/0/round.json", json.dumps(record))
    result = run("cost", job, "--hourly-wage", "36", "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["labels"] == {"human": 1, "machine": 1}
    assert document["answers"] == 3
    assert document["human_minutes"] == pytest.approx(3 * 8.5 / 60)
    assert document["people_usd"] == pytest.approx(0.255)
    amounts = {item["name"]: item["amount"] for item in document["open"]["items"]}
    assert amounts["Lambda: automated labeling"] == pytest.approx(5 * 3.0)
    stored = sum(path.stat().st_size for path in job.rglob("*") if path.is_file())
    assert amounts["S3: output for a month"] == pytest.approx(stored / 1e9)
    assert document["ground_truth"]["items"][0]["usd"] == pytest.approx(2 * GROUND_TRUTH_OBJECT.usd)
    shown = run("cost", job).stdout
    assert "Ground Truth's published price, the same" in shown
    assert "without free tiers" in shown
    assert "storage (of output) are counted" in shown


def test_an_estimate_says_what_it_assumes_and_a_ledger_takes_no_assumptions(tmp_path: Path) -> None:
    result = run("cost", "--objects", "500", "--machine-share", "0.4")
    assert result.exit_code == 0, result.output
    assert "Estimate for 500 objects (bounding-box), 1 workers for each" in result.stdout
    assert "40% of them by machine" in result.stdout
    result = run("cost", tmp_path, "--objects", "500")
    assert result.exit_code == 2
    assert "are for an estimate, without PLACE" in result.stderr
    result = run("cost", "--config", tmp_path / "none.yaml")
    assert result.exit_code == 2
    assert "cannot be read" in result.stderr
