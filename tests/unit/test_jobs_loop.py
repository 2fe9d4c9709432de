"""A labeling job runs from its input manifest to its output manifest."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from groundwork.jobs.model import Counters, Job, JobStatus
from groundwork.jobs.steps.publishing import failure_reason, finish
from groundwork.jobs.steps.selection import select_batch
from groundwork.jobs.work import LeasedTask, Worker
from tests.support.job_fakes import (
    BUCKET,
    OWN_POST,
    OWN_PRE,
    REGION,
    ROLE,
    START,
    Workshop,
    box,
    boxes_answer,
    class_answer,
    image_bytes,
    refusal,
    worker,
)

TEAM = [worker(number) for number in range(1, 5)]
ANN = TEAM[0]
OUT = "out/job"


@pytest.fixture(params=[False, True], ids=["once", "every step twice"])
def shop(request: pytest.FixtureRequest) -> Workshop:
    return Workshop(again=request.param)


def one_box(person: Worker, task: LeasedTask) -> Mapping[str, Any]:
    return boxes_answer(box("dog", 4, 5, 20, 10))


def a_cat(person: Worker, task: LeasedTask) -> Mapping[str, Any]:
    return class_answer("cat")


def free_text(person: Worker, task: LeasedTask) -> Mapping[str, Any]:
    return {"words": {"text": f"{task.object_id}"}}


def failure(entry: Mapping[str, Any], attribute: str = "animals") -> str:
    assert attribute not in entry
    reason: str = entry[f"{attribute}-metadata"]["failure-reason"]
    return reason


def test_boxes_of_one_worker_end_up_in_the_output_as_ground_truth_writes_them(
    shop: Workshop,
) -> None:
    lines = shop.add_images(5)
    job = shop.start(lines, batch=2)
    assert job.status is JobStatus.IN_PROGRESS
    assert job.counters == Counters(unlabeled=5)

    shop.answer_all([ANN], one_box)

    job = shop.job()
    assert (job.status, job.failure_reason) == (JobStatus.COMPLETED, None)
    assert job.counters == Counters(human_labeled=5)
    first = shop.output()[0]
    assert first | {"animals-metadata": None} == {
        **json.loads(lines[0]),
        "animals": {
            "image_size": [{"width": 64, "height": 48, "depth": 3}],
            "annotations": [{"class_id": 1, "left": 4, "top": 5, "width": 20, "height": 10}],
        },
        "animals-metadata": None,
    }
    metadata = first["animals-metadata"]
    created = metadata.pop("creation-date")
    assert metadata == {
        "objects": [{"confidence": 0.0}],
        "class-map": {"1": "dog"},
        "type": "groundtruth/object-detection",
        "human-annotated": "yes",
        "job-name": "labeling-job/job",
    }
    assert created.startswith("2026-03-01T09:00:")
    assert len(created) == len("2026-03-01T09:00:00.000000")


def test_classes_of_three_workers_are_consolidated(shop: Workshop) -> None:
    shop.start(shop.add_images(4), task="ImageMultiClass", workers=3, batch=4)

    def answer(person: Worker, task: LeasedTask) -> Mapping[str, Any]:
        wrong = person is TEAM[2] and task.object_id == 0
        return class_answer("dog" if wrong else "cat")

    answered = shop.answer_all(TEAM[:3], answer)
    assert len(answered) == len(set(answered)) == 12
    output = shop.output()
    assert [entry["animals"] for entry in output] == [0, 0, 0, 0]
    metadata = output[0]["animals-metadata"]
    assert metadata["class-name"] == "cat"
    assert metadata["type"] == "groundtruth/image-classification"
    assert 0.5 < metadata["confidence"] <= output[1]["animals-metadata"]["confidence"] <= 1


def test_the_output_tree_is_that_of_ground_truth(shop: Workshop) -> None:
    shop.start(shop.add_images(3), batch=2)
    shop.answer_all([ANN], one_box)

    assert len(shop.s3.keys(f"{OUT}/annotations/worker-response/iteration-1/0/")) == 1
    assert len(shop.s3.keys(f"{OUT}/annotations/worker-response/iteration-2/2/")) == 1
    for kind in ("request", "response"):
        folder = f"{OUT}/annotations/consolidated-annotation/consolidation-{kind}"
        (name,) = shop.s3.keys(f"{folder}/iteration-1/")
        assert name.removeprefix(f"{folder}/iteration-1/2026-03-01_09:00:").endswith(".json")
    assert shop.s3.keys(f"{OUT}/annotations/intermediate/2/output.manifest")
    assert shop.s3.keys(f"{OUT}/manifests/intermediate/1/output.manifest")
    assert shop.job().output_manifest_uri.key == f"{OUT}/manifests/output/output.manifest"


def test_an_answer_is_published_with_its_times_and_its_worker(shop: Workshop) -> None:
    shop.start(shop.add_images(1))
    shop.answer_all([ANN], one_box)
    (key,) = shop.s3.keys("worker-response")
    (answer,) = shop.json(key)["answers"]
    assert answer.pop("timeSpentInSeconds") == pytest.approx(3, abs=0.1)
    assert answer.pop("acceptanceTime") == "2026-03-01T09:00:00.123Z"
    assert answer.pop("submissionTime") == "2026-03-01T09:00:03.123Z"
    assert key.endswith("/iteration-1/0/2026-03-01_09:00:03.json")
    assert answer == {
        "answerContent": one_box(ANN, None),  # type: ignore[arg-type]  # not looked at
        "workerId": ANN.worker_id,
        "workerMetadata": {
            "identityData": {
                "identityProviderType": "Cognito",
                "issuer": ANN.issuer,
                "sub": ANN.sub,
            }
        },
    }


def test_consolidation_is_documented_by_request_and_response(shop: Workshop) -> None:
    shop.start(shop.add_images(1))
    shop.answer_all([ANN], one_box)
    (request,), (response,) = (
        shop.json(shop.s3.keys(f"consolidation-{kind}")[0]) for kind in ("request", "response")
    )
    content = request["annotations"][0]["annotationData"].pop("content")
    assert json.loads(content) == one_box(ANN, None)  # type: ignore[arg-type]  # not looked at
    assert request == {
        "datasetObjectId": "0",
        "dataObject": {"s3Uri": f"s3://{BUCKET}/photos/0000.jpg"},
        "annotations": [{"workerId": ANN.worker_id, "annotationData": {}}],
    }
    assert response["datasetObjectId"] == "0"
    labeled = response["consolidatedAnnotation"]["content"]
    assert {**json.loads(shop.add_images(1)[0]), **labeled} == shop.output()[0]


def test_batches_have_the_asked_size_and_follow_the_manifest(shop: Workshop) -> None:
    shop.start(shop.add_images(7), batch=3)
    answered = shop.answer_all([ANN], one_box)
    assert sorted(answered[:3]) + sorted(answered[3:6]) + answered[6:] == [
        (ANN.worker_id, number) for number in range(7)
    ]
    assert [step for step in shop.loop.history if step[0] == "select_batch"] == [
        ("select_batch", number, "people") for number in (1, 2, 3)
    ]


def test_every_write_uses_the_customers_key(shop: Workshop) -> None:
    shop.start(shop.add_images(3), batch=2, kms="key-1")
    shop.answer_all([ANN], one_box)
    written = {key: told for key, told in shop.s3.written_with.items() if key.startswith("out/")}
    assert len(written) > 10
    assert {told.get("SSEKMSKeyId") for told in written.values()} == {"key-1"}
    assert {told.get("ServerSideEncryption") for told in written.values()} == {"aws:kms"}


def test_broken_images_fail_alone_with_the_reason(shop: Workshop) -> None:
    lines = shop.add_images(6)
    shop.s3.add(f"s3://{BUCKET}/photos/0001.jpg", b"no image")
    shop.s3.add(f"s3://{BUCKET}/photos/0002.jpg", image_bytes(kind="GIF"))
    del shop.s3.objects[BUCKET, "photos/0004.jpg"]
    job = shop.start(lines, batch=3)
    shop.answer_all([ANN], one_box)

    job = shop.job()
    assert job.status is JobStatus.COMPLETED
    assert job.counters == Counters(human_labeled=3, failed=3)
    output = shop.output()
    assert failure(output[1]) == "the file is not an image; JPEG and PNG images are accepted"
    assert failure(output[2]).startswith("the file is GIF")
    assert failure(output[4]) == f"there is no s3://{BUCKET}/photos/0004.jpg"
    assert ["animals" in entry for entry in output] == [True, False, False, True, False, True]


def test_an_image_that_s3_will_never_give_fails_alone(shop: Workshop) -> None:
    lines = shop.add_images(3)

    def archived(operation: str, key: str) -> None:
        if key == "photos/0001.jpg":
            raise refusal("InvalidObjectState", "GetObject", "not valid for its storage class")

    shop.s3.before = archived
    shop.start(lines)
    shop.answer_all([ANN], one_box)

    assert shop.job().counters == Counters(human_labeled=2, failed=1)
    assert "InvalidObjectState: not valid for its storage class" in failure(shop.output()[1])


def test_a_batch_of_broken_images_needs_nobody(shop: Workshop) -> None:
    lines = shop.add_images(3)
    for number in range(2):
        shop.s3.add(f"s3://{BUCKET}/photos/000{number}.jpg", b"")
    shop.start(lines, batch=2)
    assert ("select_batch", 1, "no_people") in shop.loop.history
    shop.answer_all([ANN], one_box)
    assert shop.job().counters == Counters(human_labeled=1, failed=2)


def test_a_job_without_a_single_good_image_completes_with_nothing_labeled(shop: Workshop) -> None:
    lines = [json.dumps({"source-ref": f"s3://{BUCKET}/none/{n}.jpg"}) for n in range(3)]
    job = shop.start(lines, batch=2)
    assert (job.status, job.counters) == (JobStatus.COMPLETED, Counters(failed=3))


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([], "The input manifest s3://images/in.manifest has no lines."),
        (
            ['{"source-ref": "s3://b/k.jpg"}', "{", '{"source": "x"}'],
            "The input manifest s3://images/in.manifest has 2 broken lines: line 2: is not JSON "
            "(Expecting property name enclosed in double quotes at character 2): '{'; "
            "line 3: has no 'source-ref', the S3 URI of the image",
        ),
    ],
)
def test_a_broken_manifest_fails_the_job_and_names_the_lines(
    shop: Workshop, lines: list[str], reason: str
) -> None:
    job = shop.start(lines)
    assert (job.status, job.failure_reason) == (JobStatus.FAILED, reason)
    assert shop.notices.told[-1] == ("ended", "job", JobStatus.FAILED)


def test_a_failure_reason_is_no_longer_than_the_api_allows(shop: Workshop) -> None:
    job = shop.start([json.dumps({"odd": "x" * 500})] * 50)
    assert job.failure_reason is not None
    assert len(job.failure_reason) <= 1024


def test_labels_that_cannot_be_read_fail_the_job(shop: Workshop) -> None:
    job = shop.start(shop.add_images(1), labels=("cat", "cat"))
    assert job.status is JobStatus.FAILED
    assert job.failure_reason is not None
    assert "label 'cat' occurs 2 times" in job.failure_reason


def test_a_manifest_that_changes_under_the_job_makes_no_difference(shop: Workshop) -> None:
    lines = shop.add_images(4)
    shop.start(lines, batch=2)
    shop.s3.add(f"s3://{BUCKET}/in.manifest", b"something else")
    shop.answer_all([ANN], one_box)
    job = shop.job()
    assert (job.status, job.counters) == (JobStatus.COMPLETED, Counters(human_labeled=4))
    assert [entry["number"] for entry in shop.output()] == [0, 1, 2, 3]


def test_a_chained_job_labels_only_what_its_attribute_lacks(shop: Workshop) -> None:
    lines = shop.add_images(5)
    lines[1] = _with(lines[1], animals=1, metadata={"human-annotated": "yes", "note": "old"})
    lines[2] = _with(lines[2], animals=0, metadata={"human-annotated": "no"})
    lines[3] = _with(lines[3], metadata={"failure-reason": "no worker answered"})
    job = shop.start(lines)
    assert job.counters == Counters(human_labeled=1, machine_labeled=1, unlabeled=3)

    answered = shop.answer_all([ANN], one_box)
    assert sorted(number for _, number in answered) == [0, 3, 4]
    job = shop.job()
    assert job.counters == Counters(human_labeled=4, machine_labeled=1)
    output = shop.s3.text(job.output_manifest_uri).splitlines()
    assert output[1:3] == lines[1:3]
    assert "failure-reason" not in output[3]


def test_a_new_attribute_labels_everything_and_keeps_the_old_label(shop: Workshop) -> None:
    lines = [_with(line, animals=1) for line in shop.add_images(2)]
    shop.start(lines, attribute="pets")
    shop.answer_all([ANN], one_box)
    for entry in shop.output():
        assert entry["animals"] == 1
        assert entry["pets"]["annotations"]


def test_a_job_with_everything_labeled_already_completes_at_once(shop: Workshop) -> None:
    lines = [_with(line, animals=1) for line in shop.add_images(3)]
    job = shop.start(lines)
    assert (job.status, job.counters) == (JobStatus.COMPLETED, Counters(human_labeled=3))
    assert shop.s3.text(job.output_manifest_uri).splitlines() == lines


def test_the_output_of_a_stopped_job_can_be_chained_to_the_end() -> None:
    first = Workshop()
    first.start(first.add_images(6), batch=2)
    task = first.work.take(ANN, "job")
    assert task is not None
    first.work.submit(ANN, task.lease_id, one_box(ANN, task))
    first.stop()
    assert first.job().counters == Counters(human_labeled=1, unlabeled=5)

    second = Workshop()
    second.add_images(6)
    output = first.s3.text(first.job().output_manifest_uri).splitlines()
    second.start(output)
    assert len(second.answer_all([ANN], one_box)) == 5
    assert second.job().counters == Counters(human_labeled=6)


def test_stopping_publishes_what_was_answered_and_leaves_the_rest_as_it_was(
    shop: Workshop,
) -> None:
    lines = shop.add_images(5)
    shop.start(lines, batch=4, workers=2)
    task = shop.work.take(ANN, "job")
    assert task is not None
    shop.work.submit(ANN, task.lease_id, one_box(ANN, task))
    shop.stop()

    job = shop.job()
    assert job.status is JobStatus.STOPPED
    assert job.counters == Counters(human_labeled=1, unlabeled=4)
    output = shop.s3.text(job.output_manifest_uri).splitlines()
    for number, line in enumerate(lines):
        assert (output[number] == line) == (number != task.object_id)
    assert shop.notices.told[-1] == ("ended", "job", JobStatus.STOPPED)


def test_a_stop_before_the_first_batch_gives_the_input_back(shop: Workshop) -> None:
    lines = shop.add_images(2)
    shop.start(lines, run=False)
    shop.stop()
    job = shop.job()
    assert (job.status, job.counters) == (JobStatus.STOPPED, Counters(unlabeled=2))
    assert shop.s3.text(job.output_manifest_uri).splitlines() == lines


def test_a_stop_whose_wake_up_call_was_lost_takes_effect_within_the_hour(shop: Workshop) -> None:
    shop.start(shop.add_images(2))
    shop.store.request_stop("job", shop.clock())
    shop.loop.time_out()
    assert shop.job().status is JobStatus.STOPPED


def test_stopping_again_or_after_the_end_changes_nothing(shop: Workshop) -> None:
    shop.start(shop.add_images(1))
    shop.stop()
    ended = shop.job()
    shop.stop()
    assert shop.job() == ended


@pytest.mark.parametrize(
    ("limits", "labeled"),
    [
        ({"MaxHumanLabeledObjectCount": 5}, 5),
        ({"MaxPercentageOfInputDatasetLabeled": 45}, 4),
        ({"MaxHumanLabeledObjectCount": 7, "MaxPercentageOfInputDatasetLabeled": 30}, 3),
        ({"MaxHumanLabeledObjectCount": 100}, 10),
    ],
)
def test_stopping_conditions_are_met_exactly(
    shop: Workshop, limits: dict[str, int], labeled: int
) -> None:
    shop.start(shop.add_images(10), batch=2, limits=limits)
    shop.answer_all([ANN], one_box)
    job = shop.job()
    assert job.counters == Counters(human_labeled=labeled, unlabeled=10 - labeled)
    assert job.status is (JobStatus.COMPLETED if labeled == 10 else JobStatus.STOPPED)


def test_failed_objects_do_not_use_up_the_budget(shop: Workshop) -> None:
    lines = shop.add_images(6)
    for number in (0, 1):
        shop.s3.add(f"s3://{BUCKET}/photos/000{number}.jpg", b"")
    shop.start(lines, batch=3, limits={"MaxHumanLabeledObjectCount": 3})
    shop.answer_all([ANN], one_box)
    assert shop.job().counters == Counters(human_labeled=3, failed=2, unlabeled=1)


def test_objects_that_nobody_answers_in_time_fail(shop: Workshop) -> None:
    shop.start(shop.add_images(3), lifetime=7200, time_limit=600)
    task = shop.work.take(ANN, "job")
    assert task is not None
    shop.work.submit(ANN, task.lease_id, one_box(ANN, task))
    shop.clock.advance(3600)
    shop.loop.time_out()
    assert shop.job().status is JobStatus.IN_PROGRESS
    shop.clock.advance(3601)
    shop.loop.time_out()

    job = shop.job()
    assert job.status is JobStatus.COMPLETED
    assert job.counters == Counters(human_labeled=1, failed=2)
    reasons = {failure(entry) for entry in shop.output() if "animals" not in entry}
    assert reasons == {"no worker answered within the 7200 seconds that the task was available"}


def test_an_ended_availability_is_noticed_by_workers_before_the_hour_is_over(
    shop: Workshop,
) -> None:
    shop.start(shop.add_images(1), lifetime=60)
    shop.clock.advance(61)
    assert shop.work.take(ANN, "job") is None
    shop.loop.run()
    assert shop.job().counters == Counters(failed=1)


def test_an_object_with_some_of_its_answers_is_labeled_when_time_is_over(shop: Workshop) -> None:
    shop.start(shop.add_images(1), workers=3, lifetime=60)
    task = shop.work.take(ANN, "job")
    assert task is not None
    shop.work.submit(ANN, task.lease_id, one_box(ANN, task))
    shop.clock.advance(61)
    shop.loop.time_out()
    assert shop.job().counters == Counters(human_labeled=1)


def test_an_object_that_all_decline_fails_and_is_not_sent_again(shop: Workshop) -> None:
    shop.start(shop.add_images(1), workers=2)
    for person in TEAM[:2]:
        task = shop.work.take(person, "job")
        assert task is not None
        shop.work.decline(person, task.lease_id)
    shop.loop.run()
    assert shop.job().counters == Counters(failed=1)
    assert failure(shop.output()[0]) == "declined by as many workers as were asked for (2)"


def test_a_declined_object_whose_last_holder_goes_away_is_closed_within_the_hour(
    shop: Workshop,
) -> None:
    shop.start(shop.add_images(1), workers=2)
    holder = shop.work.take(TEAM[2], "job")
    assert holder is not None
    for person in TEAM[:2]:
        task = shop.work.take(person, "job")
        assert task is not None
        shop.work.decline(person, task.lease_id)
    assert shop.work.take(TEAM[3], "job") is None
    shop.clock.advance(400)
    shop.loop.time_out()
    assert shop.job().counters == Counters(failed=1)


def test_a_declined_object_still_takes_the_answer_of_who_holds_it(shop: Workshop) -> None:
    shop.start(shop.add_images(1), workers=2)
    holder = shop.work.take(TEAM[2], "job")
    assert holder is not None
    for person in TEAM[:2]:
        task = shop.work.take(person, "job")
        assert task is not None
        shop.work.decline(person, task.lease_id)
    shop.work.submit(TEAM[2], holder.lease_id, one_box(TEAM[2], holder))
    shop.loop.run()
    assert shop.job().counters == Counters(human_labeled=1)


def test_answers_that_do_not_fit_are_set_aside_and_the_others_count(shop: Workshop) -> None:
    shop.start(shop.add_images(2), workers=2)

    def answer(person: Worker, task: LeasedTask) -> Mapping[str, Any]:
        if task.object_id == 0 or person is ANN:
            return boxes_answer(box("dog", 50, 0, 60, 10))
        return one_box(person, task)

    shop.answer_all(TEAM[:2], answer)
    job = shop.job()
    assert job.counters == Counters(human_labeled=1, failed=1)
    output = shop.output()
    reason = failure(output[0])
    assert reason.startswith("no answer could be used (private.us-east-1.")
    assert "box 1 ('dog') reaches outside the image of 64 x 48 pixels" in reason
    assert output[1]["animals"]["annotations"][0]["left"] == 4


def test_an_unknown_class_is_set_aside(shop: Workshop) -> None:
    shop.start(shop.add_images(1), task="ImageMultiClass")
    shop.answer_all([ANN], lambda person, task: class_answer("cow"))
    assert failure(shop.output()[0]).endswith("'cow' is not one of the job's labels)")


def test_a_custom_job_without_functions_refers_to_the_answers(shop: Workshop) -> None:
    lines = [json.dumps({"source": "some text", "more": 1}) for _ in range(2)]
    shop.start(lines, task=None)
    task = shop.work.take(ANN, "job")
    assert task is not None
    assert task.task_input == {"source": "some text", "more": 1}
    shop.answer_all([ANN], free_text)
    for entry in shop.output():
        assert entry["animals"] == {}
        reference = entry["animals-metadata"]["worker-response-ref"]
        assert reference.startswith(f"s3://{BUCKET}/{OUT}/annotations/worker-response/iteration-1/")
        key = reference.removeprefix(f"s3://{BUCKET}/")
        assert shop.json(key)["answers"][0]["workerId"] == ANN.worker_id
        assert entry["animals-metadata"]["type"] == "groundtruth/custom"


def test_an_own_pre_annotation_function_makes_the_input(shop: Workshop) -> None:
    def pre(event: Mapping[str, Any]) -> Any:
        number = event["dataObject"]["n"]
        if number == 1:
            return {"taskInput": {}, "isHumanAnnotationRequired": False}
        if number == 2:
            raise ValueError("cannot do this one")
        if number == 3:
            return {"input": {}}
        return {"taskInput": {"seen": number}, "humanAnnotationRequired": "false"}

    shop.functions.functions[OWN_PRE] = pre
    lines = [json.dumps({"source": "text", "n": number}) for number in range(5)]
    job = shop.start(lines, task=None, pre=OWN_PRE)
    arn, event = shop.functions.events[0]
    assert arn == OWN_PRE
    assert event["version"] == "2018-10-16"
    assert event["labelingJobArn"] == job.arn
    assert event["dataObject"].keys() == {"source", "n"}

    shown = []

    def answer(person: Worker, task: LeasedTask) -> Mapping[str, Any]:
        shown.append(task.task_input)
        return free_text(person, task)

    shop.answer_all([ANN], answer)
    assert sorted(shown, key=str) == [{"seen": 0}, {"seen": 4}]
    output = shop.output()
    assert "isHumanAnnotationRequired: false" in failure(output[1])
    assert failure(output[2]).endswith("failed: ValueError: cannot do this one")
    assert failure(output[3]).endswith('answered without an object "taskInput"')
    assert shop.job().counters == Counters(human_labeled=2, failed=3)


def test_an_own_consolidation_function_labels(shop: Workshop) -> None:
    def post(event: Mapping[str, Any]) -> Any:
        key = event["payload"]["s3Uri"].removeprefix(f"s3://{BUCKET}/")
        answer = []
        for entry in shop.json(key):
            if entry["datasetObjectId"] == "1":
                continue
            texts = [
                json.loads(annotation["annotationData"]["content"])["words"]["text"]
                for annotation in entry["annotations"]
            ]
            content: dict[str, Any] = {"animals": {"texts": texts, "data": entry["dataObject"]}}
            if entry["datasetObjectId"] == "2":
                content = {"something": "else"}
            answer.append(
                {
                    "datasetObjectId": entry["datasetObjectId"],
                    "consolidatedAnnotation": {"content": content},
                }
            )
        return [*answer, "nonsense"]

    shop.functions.functions[OWN_POST] = post
    lines = [json.dumps({"source": f"text {number}"}) for number in range(3)]
    job = shop.start(lines, task=None, post=OWN_POST, kms="key-1")
    shop.answer_all([ANN], free_text)

    # Asked once, though the step may have run twice.
    ((arn, event),) = shop.functions.events
    assert arn == OWN_POST
    uri = event.pop("payload")["s3Uri"]
    assert uri.startswith(f"s3://{BUCKET}/{OUT}/annotations/consolidated-annotation/")
    assert event == {
        "version": "2018-10-06",
        "labelingJobArn": job.arn,
        "labelCategories": ["cat", "dog"],
        "labelAttributeName": "animals",
        "roleArn": ROLE,
        "outputConfig": f"s3://{BUCKET}/{OUT}/annotations",
        "maxHumanWorkersPerDataObject": 1,
        "kmsKeyId": "key-1",
    }
    output = shop.output()
    assert output[0]["animals"] == {"texts": ["0"], "data": {"content": "text 0"}}
    assert output[0]["animals-metadata"]["type"] == "groundtruth/custom"
    assert output[0]["animals-metadata"]["human-annotated"] == "yes"
    assert failure(output[1]).startswith("the consolidation function answered nothing")
    assert failure(output[2]).startswith("the consolidation function answered nothing")
    assert shop.job().counters == Counters(human_labeled=1, failed=2)


def test_large_answers_reach_an_own_function_in_parts_that_it_can_answer(shop: Workshop) -> None:
    """Masks, say: a function's own answer, which mostly repeats them, may have 6 MB."""
    sizes = []

    def post(event: Mapping[str, Any]) -> Any:
        entries = shop.json(event["payload"]["s3Uri"].removeprefix(f"s3://{BUCKET}/"))
        sizes.append(len(entries))
        answer = [
            {
                "datasetObjectId": entry["datasetObjectId"],
                "consolidatedAnnotation": {
                    "content": {"animals": entry["annotations"][0]["annotationData"]["content"]}
                },
            }
            for entry in entries
        ]
        assert len(json.dumps(answer)) < 6_000_000
        return answer

    def mask(person: Worker, task: LeasedTask) -> Mapping[str, Any]:
        large = task.object_id in (2, 3, 4)
        return {"mask": "x" * (1_800_000 if large else 10)}

    shop.functions.functions[OWN_POST] = post
    lines = [json.dumps({"source": f"text {number}"}) for number in range(6)]
    shop.start(lines, task=None, post=OWN_POST)
    shop.answer_all([ANN], mask)

    assert sizes == [4, 2]
    assert [len(line["animals"]) > 1_000_000 for line in shop.output()] == [
        *(False, False, True),
        *(True, True, False),
    ]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"not": "a list"}, "answered dict, not a list of objects"),
        (ValueError("broken"), f"{OWN_POST} failed: ValueError: broken"),
    ],
)
def test_a_broken_consolidation_function_fails_the_job_and_keeps_the_answers(
    shop: Workshop, answer: Any, reason: str
) -> None:
    def post(event: Mapping[str, Any]) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    shop.functions.functions[OWN_POST] = post
    lines = [json.dumps({"source": "text"})]
    shop.start(lines, task=None, post=OWN_POST)
    shop.answer_all([ANN], free_text)
    job = shop.job()
    assert job.status is JobStatus.FAILED
    assert job.failure_reason is not None
    assert reason in job.failure_reason
    assert len(shop.s3.keys("worker-response")) == 1
    assert shop.s3.text(job.output_manifest_uri).splitlines() == lines


def test_a_failure_while_people_work_publishes_their_answers(shop: Workshop) -> None:
    shop.start(shop.add_images(3))
    task = shop.work.take(ANN, "job")
    assert task is not None
    shop.work.submit(ANN, task.lease_id, one_box(ANN, task))
    assert shop.loop.engine is not None
    shop.loop._step("fail", "job", 1, error={"Error": "States.Runtime", "Cause": "gone"})
    job = shop.job()
    assert (job.status, job.failure_reason) == (JobStatus.FAILED, "States.Runtime: gone")
    assert job.counters == Counters(human_labeled=1, unlabeled=2)
    assert "animals" in shop.output()[task.object_id]


def test_a_failed_job_tells_the_first_reason_that_a_shard_left(shop: Workshop) -> None:
    """A Map's own failure says only that items failed."""
    shop.start(shop.add_images(1))
    for told in ("the bucket is closed", "another shard's"):
        shop.loop._step(
            "explain_failure", "job", 0, error={"Error": "JobFailedError", "Cause": told}
        )
    assert shop.job().status is JobStatus.IN_PROGRESS
    caught = {"Error": "States.ExceedToleratedFailureThreshold", "Cause": "threshold was exceeded"}
    shop.loop._step("fail", "job", 0, error=caught)
    job = shop.job()
    assert (job.status, job.failure_reason) == (JobStatus.FAILED, "the bucket is closed")


def test_a_job_that_is_too_old_fails_and_says_how_to_go_on(shop: Workshop) -> None:
    shop.start(shop.add_images(3), batch=1)
    shop.clock.now = START + timedelta(days=30, seconds=1)
    shop.loop.time_out()
    job = shop.job()
    assert job.status is JobStatus.FAILED
    assert job.failure_reason is not None
    assert job.failure_reason.startswith("The labeling job expired")
    assert len(shop.output()) == 3


def test_a_long_job_hands_over_to_a_fresh_execution() -> None:
    shop = Workshop()
    shop.start(shop.add_images(252), batch=1)
    shop.answer_all([ANN], one_box)
    assert shop.loop.hand_overs == [250]
    assert shop.job().counters == Counters(human_labeled=252)


def test_snapshots_follow_a_twentieth_of_the_objects(shop: Workshop) -> None:
    shop.start(shop.add_images(60), batch=2)
    shop.answer_all([ANN], one_box)
    snapshots = [int(key.split("/")[4]) for key in shop.s3.keys("manifests/intermediate/")]
    assert sorted(snapshots) == list(range(0, 31, 2))
    middle = shop.s3.text(
        shop.job().output_prefix.child("manifests/intermediate/10/output.manifest")
    )
    labeled = ["animals" in json.loads(line) for line in middle.splitlines()]
    assert labeled == [True] * 20 + [False] * 40


def test_the_team_hears_of_the_first_batch_and_of_the_end(shop: Workshop) -> None:
    shop.start(shop.add_images(4), batch=2)
    shop.answer_all([ANN], one_box)
    assert ("work", "job", JobStatus.IN_PROGRESS) in shop.notices.told
    assert shop.notices.told.count(("work", "job", JobStatus.IN_PROGRESS)) == 1
    assert shop.notices.told[-1] == ("ended", "job", JobStatus.COMPLETED)


def test_windows_line_ends_and_a_missing_last_one_survive() -> None:
    shop = Workshop()
    lines = shop.add_images(3)
    shop.start(lines)
    text = f"{lines[0]}\r\n{lines[1]}\r\n{_with(lines[2], animals=1)}"
    again = Workshop()
    again.add_images(3)
    original = again.s3.add

    def add(uri: str, data: bytes) -> None:
        original(uri, text.encode() if uri.endswith("in.manifest") else data)

    again.s3.add = add  # type: ignore[method-assign]  # another file than the lines make
    again.start(lines)
    again.answer_all([ANN], one_box)
    output = again.s3.text(again.job().output_manifest_uri)
    assert output.count("\r\n") == 2
    assert output.endswith(_with(lines[2], animals=1))


def test_a_failure_is_told_in_the_words_of_whoever_noticed_it() -> None:
    told = {"errorType": "JobFailedError", "errorMessage": "Line 3 is broken."}
    assert failure_reason({"Error": "JobFailedError", "Cause": json.dumps(told)}) == (
        "Line 3 is broken."
    )
    told = {"errorType": "S3Error", "errorMessage": "slow down"}
    assert failure_reason({"Error": "S3Error", "Cause": json.dumps(told)}) == "S3Error: slow down"
    assert failure_reason({"Error": "States.Timeout", "Cause": ""}) == "States.Timeout: "
    assert failure_reason(None) == "unknown error: "


def test_a_job_tells_its_region_and_account(shop: Workshop) -> None:
    job: Job = shop.start(shop.add_images(1))
    assert (job.region, job.account) == (REGION, "111122223333")


def _with(line: str, *, animals: Any = None, metadata: Mapping[str, Any] | None = None) -> str:
    attributes = json.loads(line)
    if animals is not None:
        attributes["animals"] = animals
    if metadata is not None:
        attributes["animals-metadata"] = metadata
    return json.dumps(attributes)


def test_done_tasks_are_counted_for_nobody_who_does_not_ask_for_them() -> None:
    shop = Workshop()
    shop.start(shop.add_images(4), batch=2)
    task = shop.work.take(ANN, "job")
    assert task is not None
    shop.work.submit(ANN, task.lease_id, one_box(ANN, task))
    engine = shop.loop.engine
    assert engine is not None
    shop.table.reads.clear()

    assert select_batch(engine, "job", 0).outcome == "people"
    assert finish(engine, "job", 0).outcome == "finished"
    assert "BATCH#job#000001" not in shop.table.reads
    assert shop.store.get_batch("job", 1).done == 0
    assert shop.store.get_batch("job", 1, counted=True).done == 1
