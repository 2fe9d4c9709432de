"""What automated labeling did with one object is told from the job's own files."""

import json

import pytest

from groundwork.jobs.automation.explaining import ExplainError, Explanation, explain
from groundwork.jobs.automation.settings import Automation
from tests.support.job_fakes import BUCKET, Workshop, worker
from tests.support.learning_fakes import LABELS, colour_world

BROKEN = 7


@pytest.fixture(scope="module")
def ended() -> Workshop:
    """Return a workshop whose job has ended, with labels by people and by machine."""
    shop = Workshop()
    world, lines = colour_world(shop, 200, task="ImageMultiClass")
    shop.s3.add(json.loads(lines[BROKEN])["source-ref"], b"broken")
    shop.start(lines, LABELS, task="ImageMultiClass", batch=50, automation=Automation(0.8))
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
        ("200", "there is no object 200: the last one is 199"),
        ("other.png", "no image of the job is other.png, nor ends so"),
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
    shop.start(lines, LABELS, task="ImageMultiClass", automation=Automation(0.8))

    with pytest.raises(ExplainError, match=r"2 images end in 0001.png: 1 \(.*\), 60 \(.*elsewhere"):
        explained(shop, "0001.png")


def test_a_job_without_automated_labeling_has_nothing_to_explain() -> None:
    shop = Workshop()
    shop.start(shop.add_images(3))

    with pytest.raises(ExplainError, match="has no automated labeling"):
        explained(shop, "0")
