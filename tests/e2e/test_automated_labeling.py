"""Automated labeling on the local cloud: the real learners, in the functions that AWS would run.

The tests go through one workshop's life in order.
"""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from groundwork.contract.builtin_tasks import (
    BUILTIN_TASKS,
    algorithm_arn,
    consolidation_lambda_arn,
    pre_lambda_arn,
)
from groundwork.demo.crowd import Drawer
from groundwork.jobs.automation.settings import TARGET_TAG
from groundwork.local.cloud import LocalCloud
from groundwork.local.emulator import REGION
from groundwork.local.leftovers import leftovers
from groundwork.local.workshop import OPEN, JobState, destroy
from groundwork.manifest import LabelState
from groundwork.results.quality import Box
from groundwork.results.summary import summarize
from groundwork.results.truth import Truth
from groundwork.samples import SAMPLE_LABELS, TRUTH_FILE
from groundwork.templates import default_template
from stacks.sample_images import sample_images
from tests.support.local_workshop import Workshop, described, settings, shared_folder

# People's first batch takes 50, and a proposal is worth it from 41 on.
PHOTOS = 120
# Far below what the model reaches, so that no sample is unlucky enough to miss it.
BOX_TARGET, CLASS_TARGET = 0.5, 0.7


# Learning takes all processors, and on a machine that has other work, too, its time.
pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="module")
def workshop(cloud: LocalCloud) -> Workshop:
    photos = sample_images(PHOTOS).images.path
    truth = Truth.read(photos / TRUTH_FILE)
    context = settings(photos, SAMPLE_LABELS, 1000) | {
        "auto_labeling": "true",
        "auto_labeling_target": str(BOX_TARGET),
    }
    workshop = Workshop(cloud, OPEN, context, truth)
    workshop.deploy()
    return workshop


def test_people_and_machine_draw_boxes_at_the_promised_quality(workshop: Workshop) -> None:
    job = workshop.job_name
    state = workshop.label(job)
    assert state.status == "Completed", state
    people, machine = state.counters["HumanLabeled"], state.counters["MachineLabeled"]
    assert people + machine == PHOTOS
    assert machine >= 40

    results = workshop.results(state)
    summary = summarize(results, workshop.truth)
    assert summary.states[LabelState.HUMAN] == people
    assert summary.states[LabelState.MACHINE] == machine
    assert summary.machine_mean_iou is not None
    assert summary.machine_mean_iou > BOX_TARGET
    for result in results:
        if result.state is LabelState.MACHINE:
            assert result.metadata["type"] == "groundtruth/object-detection"
            assert result.metadata["job-name"] == f"labeling-job/{job}"
            assert len(result.metadata["objects"]) == len(result.label["annotations"])
            assert all(0 < each["confidence"] <= 1 for each in result.metadata["objects"])

    record = record_of(workshop, state)
    assert record["target"] == BOX_TARGET
    assert record["bound"] >= BOX_TARGET
    assert record["machine_labeled"] == machine


def test_the_output_tree_has_what_each_round_left(workshop: Workshop) -> None:
    keys = workshop.keys(root_of(described(workshop.cloud, workshop.job_name)))
    for wanted in (
        "inference/features/0.bin",
        "training/1/model.npz",
        "activelearning/1/plan.json",
        "activelearning/1/round.json",
        "activelearning/2/auto_annotator/auto_annotator_output.txt",
        "activelearning/summary.json",
    ):
        assert wanted in keys


@dataclass(frozen=True)
class Crops:
    """Photos of one emblem each, cut out of the workshop's, and what they show."""

    names: tuple[str, ...]
    classes: dict[str, str]


@pytest.fixture(scope="module")
def crops(workshop: Workshop) -> Crops:
    bucket = f"s3://{workshop.cloud.output('BucketName')}"
    classes = {}
    for name, boxes in workshop.truth.boxes.items():
        with Image.open(Path(workshop.context["images"]) / name) as photo:
            for number, box in enumerate(boxes):
                uri = f"{bucket}/images/crops/{name.removesuffix('.jpg')}-{number}.jpg"
                workshop.write(uri, cut_out(photo, box))
                classes[uri] = box.label
    return Crops(tuple(sorted(classes)), classes)


def test_people_and_machine_classify(workshop: Workshop, crops: Crops) -> None:
    state = classify(workshop, crops, "classes", crops.names[:100])
    assert state.status == "Completed", state
    assert state.counters["MachineLabeled"] >= 20
    assert right_share(workshop, crops, state) > CLASS_TARGET
    assert record_of(workshop, state)["bound"] >= CLASS_TARGET


def test_a_later_job_begins_with_the_model_of_an_earlier_one(
    workshop: Workshop, crops: Crops
) -> None:
    """People see the sample that proves its labels, and nothing before."""
    model = described(workshop.cloud, "classes")["LabelingJobOutput"]["FinalActiveLearningModelArn"]
    state = classify(workshop, crops, "more-classes", crops.names[-50:], model=model)
    assert state.status == "Completed", state
    assert state.counters["HumanLabeled"] < 50
    assert right_share(workshop, crops, state) > CLASS_TARGET
    assert record_of(workshop, state)["batches_of_people"] == 1


def test_people_label_thirty_real_photographs_and_the_job_says_why(workshop: Workshop) -> None:
    folder = shared_folder("logos")
    if not (folder / TRUTH_FILE).is_file():
        pytest.skip(f"no photographs at {folder}; set GROUNDWORK_SHARED to the folder with data/")
    truth = Truth.read(folder / TRUTH_FILE)
    bucket = f"s3://{workshop.cloud.output('BucketName')}"
    images = [
        workshop.write(f"{bucket}/images/logos/{name}", (folder / name).read_bytes())
        for name in sorted(truth.boxes)
    ]
    create(workshop, "photographs", "BoundingBox", images, truth.labels, BOX_TARGET)
    state = workshop.label("photographs", lambda worker: Drawer(truth, seed=7, worker=worker))
    assert state.status == "Completed", state
    assert state.counters["HumanLabeled"] == len(images)
    record = record_of(workshop, state)
    assert record["machine_labeled"] == 0
    assert record["bound"] is None
    assert "first batch took all 30 objects" in record["outcome"]
    summary = summarize(workshop.results(state), truth)
    assert summary.human_mean_iou is not None
    assert summary.human_mean_iou > 0.8


def test_destroying_leaves_nothing(workshop: Workshop) -> None:
    destroy(workshop.cloud)
    assert leftovers(workshop.cloud) == []


# --- helpers -------------------------------------------------------------------------------------


def root_of(job: Any) -> str:
    output: str = job["LabelingJobOutput"]["OutputDatasetS3Uri"]
    return output.removesuffix("manifests/output/output.manifest")


def record_of(workshop: Workshop, state: JobState) -> dict[str, Any]:
    root = root_of(described(workshop.cloud, state.name))
    record: dict[str, Any] = json.loads(workshop.read(f"{root}activelearning/summary.json"))
    return record


def cut_out(photo: Image.Image, box: Box) -> bytes:
    margin = 0.15 * max(box.width, box.height)
    left, top = max(0, box.left - margin), max(0, box.top - margin)
    right = min(photo.width, box.left + box.width + margin)
    bottom = min(photo.height, box.top + box.height + margin)
    out = io.BytesIO()
    photo.crop((int(left), int(top), int(right), int(bottom))).save(out, "JPEG", quality=90)
    return out.getvalue()


def right_share(workshop: Workshop, crops: Crops, state: JobState) -> float:
    results = [each for each in workshop.results(state) if each.state is LabelState.MACHINE]
    assert len(results) == state.counters["MachineLabeled"]
    right = [result.class_name() == crops.classes[result.source] for result in results]
    return sum(right) / len(right)


def classify(
    workshop: Workshop, crops: Crops, name: str, images: Sequence[str], model: str | None = None
) -> JobState:
    """Run a job of its own with people who are right."""
    create(workshop, name, "ImageMultiClass", images, SAMPLE_LABELS, CLASS_TARGET, model)

    def answer(task_input: dict[str, Any], picture: bytes) -> dict[str, Any]:
        assert picture
        return {"crowd-image-classifier": {"label": crops.classes[str(task_input["taskObject"])]}}

    return workshop.label(name, lambda _: answer)


def create(
    workshop: Workshop,
    name: str,
    task: str,
    images: Sequence[str],
    labels: Sequence[str],
    target: float,
    model: str | None = None,
) -> None:
    """Create a job of its own through boto3 with the workshop's role."""
    cloud, builtin = workshop.cloud, BUILTIN_TASKS[task]
    bucket = f"s3://{cloud.output('BucketName')}"
    lines = [json.dumps({"source-ref": image}) for image in images]
    categories = [{"label": label} for label in labels]
    files = {
        "input.manifest": "\n".join(lines),
        "labels.json": json.dumps({"document-version": "2018-11-28", "labels": categories}),
        "page.liquid": default_template(task),
    }
    uris = {
        file: workshop.write(f"{bucket}/input/{name}/{file}", content)
        for file, content in files.items()
    }
    learning = {"LabelingJobAlgorithmSpecificationArn": algorithm_arn(REGION, builtin)}
    if model is not None:
        learning["InitialActiveLearningModelArn"] = model
    cloud.client("sagemaker").create_labeling_job(
        LabelingJobName=name,
        LabelAttributeName="emblem",
        InputConfig={"DataSource": {"S3DataSource": {"ManifestS3Uri": uris["input.manifest"]}}},
        OutputConfig={"S3OutputPath": f"{bucket}/output"},
        RoleArn=described(cloud, workshop.job_name)["RoleArn"],
        LabelCategoryConfigS3Uri=uris["labels.json"],
        LabelingJobAlgorithmsConfig=learning,
        HumanTaskConfig={
            "WorkteamArn": cloud.output("WorkteamArn"),
            "UiConfig": {"UiTemplateS3Uri": uris["page.liquid"]},
            "PreHumanTaskLambdaArn": pre_lambda_arn(REGION, builtin),
            "TaskTitle": "Emblems",
            "TaskDescription": "Label the emblems.",
            "NumberOfHumanWorkersPerDataObject": 1,
            "TaskTimeLimitInSeconds": 120,
            "AnnotationConsolidationConfig": {
                "AnnotationConsolidationLambdaArn": consolidation_lambda_arn(REGION, builtin)
            },
        },
        Tags=[{"Key": TARGET_TAG, "Value": str(target)}],
    )
