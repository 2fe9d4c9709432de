"""What automated labeling did with one object is told from the job's own files."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from groundwork.cli import main
from groundwork.folder_client import FolderApi
from groundwork.jobs.automation.explaining import ExplainError, Explanation, explain
from groundwork.jobs.automation.settings import Automation
from groundwork.results.output_tree import open_output
from groundwork.results.rounds import read_automation_summary, read_rounds
from groundwork.s3_client import S3Client, S3NotFoundError, S3Range
from groundwork.s3_uri import S3Uri
from tests.support.job_fakes import BUCKET, Workshop, worker
from tests.support.learning_fakes import LABELS, colour_world

BROKEN = 7


@pytest.fixture(scope="module")
def ended() -> Workshop:
    """Return a workshop whose job has ended, with labels by people and by machine."""
    shop = Workshop()
    world, lines = colour_world(shop, 200, task="ImageMultiClass")
    shop.s3.add(json.loads(lines[BROKEN])["source-ref"], b"broken")
    shop.start(lines, LABELS, task="ImageMultiClass", batch=50, automation=Automation(0.7))
    shop.answer_all([worker(1), worker(2)], world.answer)
    return shop


def explained(shop: Workshop, wanted: str) -> Explanation:
    return explain(shop.files, shop.job(), wanted)


def texts(shop: Workshop, wanted: str) -> list[str]:
    return [event.text for event in explained(shop, wanted).events]


def sample_of(shop: Workshop) -> dict[int, float]:
    keys = shop.s3.keys("verdict.json")
    return {each["object"]: each["score"] for key in keys for each in shop.json(key)["sample"]}


def test_a_label_by_machine_is_explained_by_its_forecast_its_proposal_and_its_region(
    ended: Workshop,
) -> None:
    output = ended.output()
    number = next(
        number
        for number, line in enumerate(output)
        if line["animals-metadata"].get("human-annotated") == "no"
    )

    told = explained(ended, f"{number}")
    looked_at, *_, proposed, passed, labeled = told.events
    forecast = next(event for event in told.events if "forecast" in event.figures)

    assert told.sentence.endswith("was labeled by machine.")
    assert looked_at.text == "its picture was looked at: 64 x 48 px"
    assert 0 < forecast.figures["forecast"] <= 1
    assert proposed.text.startswith("its label is proposed, number ")
    assert proposed.figures["threshold"] <= forecast.figures["forecast"]
    assert passed.text.endswith("of the proposed labels passed, its own among them")
    assert passed.iteration == proposed.iteration + 1
    assert labeled.text == "it was labeled by machine"
    assert told.label == {
        key: value for key, value in output[number].items() if key.startswith("animals")
    }
    json.dumps(told.to_json(), allow_nan=False)


def test_a_sampled_object_tells_how_people_agreed(ended: Workshop) -> None:
    number = next(iter(sample_of(ended)))

    told = texts(ended, f"{number}")

    assert any("it was drawn into the sample of" in text for text in told)
    assert "measured against people's label, the proposed one has a quality of 1.000" in told
    assert told[-1] == "it was labeled by people"


def test_an_object_of_the_first_batch_was_drawn_at_random(ended: Workshop) -> None:
    (number, *_) = ended.json("out/job/activelearning/0/plan.json")["asked"]

    assert texts(ended, f"{number}")[1:] == [
        "people are asked about it: the first batch is a random sample",
        "it was labeled by people",
    ]


def test_a_picture_that_cannot_be_decoded_is_told_with_the_reason(ended: Workshop) -> None:
    told = explained(ended, f"{BROKEN}")

    assert told.events[0].text.startswith("no model can label it: ")
    assert told.events[-1].text.startswith("it could not be labeled: ")
    assert told.to_json()["state"] == "failed"


@pytest.mark.parametrize(
    "wanted", [f"s3://{BUCKET}/colours/0042.png", "colours/0042.png", "/0042.png", "0042.png"]
)
def test_an_object_is_found_by_its_image(ended: Workshop, wanted: str) -> None:
    assert explained(ended, wanted).object_id == 42


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ("200", "There is no object 200: the last one is 199"),
        ("other.png", "No image of the job is other.png, nor ends so"),
        ("042.png", "nor ends so"),
    ],
)
def test_what_is_not_there_is_told(ended: Workshop, wanted: str, why: str) -> None:
    with pytest.raises(ExplainError, match=why):
        explained(ended, wanted)


def test_a_name_that_several_images_have_is_not_guessed() -> None:
    shop = Workshop()
    _, lines = colour_world(shop, 60, task="ImageMultiClass")
    uri = f"s3://{BUCKET}/elsewhere/0001.png"
    shop.s3.add(uri, shop.s3.objects[BUCKET, "colours/0001.png"])
    lines.append(json.dumps({"source-ref": uri}))
    shop.start(lines, LABELS, task="ImageMultiClass", automation=Automation(0.7))

    with pytest.raises(ExplainError, match=r"2 images end in 0001.png: 1 \(.*\), 60 \(.*elsewhere"):
        explained(shop, "0001.png")


def test_a_job_without_automated_labeling_has_nothing_to_explain() -> None:
    shop = Workshop()
    shop.start(shop.add_images(3))

    with pytest.raises(ExplainError, match="has no automated labeling"):
        explained(shop, "0")


# The command


@pytest.fixture(scope="module")
def copied(ended: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the job's output as copied to this machine."""
    folder = tmp_path_factory.mktemp("copied")
    for (_, key), data in ended.s3.objects.items():
        if key.startswith("out/job/"):
            path = folder / key.removeprefix("out/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    return folder / "job"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["explain", *(str(argument) for argument in arguments)])


def test_the_command_tells_the_same_of_a_copy(ended: Workshop, copied: Path) -> None:
    told = explained(ended, "0042.png")

    shown = run(copied, "0042.png")
    document = json.loads(run(copied, "42", "--json").stdout)

    assert shown.exit_code == 0
    assert shown.stdout.startswith(told.sentence)
    assert all(event.text in shown.stdout for event in told.events)
    assert document == told.to_json()


def test_the_command_ends_with_one_message_where_there_is_nothing(copied: Path) -> None:
    unknown = run(copied, "other.png")
    lonely = run(copied.parent / "job/annotations/intermediate/1/output.manifest", "0")

    assert (unknown.exit_code, lonely.exit_code) == (1, 1)
    assert "No image of the job is other.png" in unknown.stderr
    assert "give the whole output of the job" in lonely.stderr


def test_the_report_reads_what_the_rounds_wrote(ended: Workshop, copied: Path) -> None:
    output, problems = open_output(str(copied)), list[str]()

    rounds = read_rounds(output, problems)
    summary = read_automation_summary(output)

    assert problems == []
    assert [each.iteration for each in rounds] == list(range(ended.job().iteration + 1))
    assert {each.decision for each in rounds} >= {"random", "propose"}
    assert (
        sum(each.verdict.accepted for each in rounds if each.verdict) == rounds[-1].machine_labeled
    )
    assert rounds[1].labels_by_people == 50 - ended.job().counters.failed
    assert summary is not None
    assert summary.bound == rounds[-1].bound
    assert summary.machine_labeled == ended.job().counters.machine_labeled > 0


def test_a_folder_is_read_as_s3_is(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"0123456789")
    files = S3Client(FolderApi(tmp_path))
    there, gone = S3Uri("folder", "a.txt"), S3Uri("folder", "b.txt")

    assert files.get(there) == b"0123456789"
    assert b"".join(files.stream(there, start=4)) == b"456789"
    assert files.get_range(there, 2, 3) == S3Range(b"234", 10)
    assert files.get_range(there, 8, 30) == S3Range(b"89", 10)
    assert files.get_range(there, 10, 3) == S3Range(b"", 10)
    assert files.size(there) == 10
    assert (files.exists(there), files.exists(gone)) == (True, False)
    with pytest.raises(S3NotFoundError):
        files.get(gone)
