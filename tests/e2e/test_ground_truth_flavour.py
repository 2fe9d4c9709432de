"""engine=ground-truth on the local cloud, where the open engine stands in for SageMaker.

The tests go through one workshop's life in order.
"""

import json
from collections import Counter

import pytest

from groundwork.local.cloud import LocalCloud
from groundwork.local.leftovers import leftovers
from groundwork.local.workshop import GROUND_TRUTH, destroy
from groundwork.manifest import LabelState
from groundwork.results.summary import summarize
from groundwork.results.truth import Truth
from groundwork.samples import SAMPLE_LABELS, generate
from tests.support.local_workshop import Workshop, described, job_names, settings

PHOTOS = 8


@pytest.fixture(scope="module")
def workshop(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    images = tmp_path_factory.mktemp("photos")
    truth = Truth.read(generate(images, PHOTOS, seed=3))
    workshop = Workshop(cloud, GROUND_TRUTH, settings(images, SAMPLE_LABELS, PHOTOS), truth)
    workshop.deploy()
    return workshop


def test_native_types_make_one_workforce_and_its_team(workshop: Workshop) -> None:
    sagemaker = workshop.cloud.client("sagemaker")
    (workforce,) = sagemaker.list_workforces()["Workforces"]
    (team,) = sagemaker.list_workteams()["Workteams"]
    assert workforce["Status"] == "Active"
    assert team["WorkforceArn"] == workforce["WorkforceArn"]
    assert team["WorkteamArn"] == workshop.cloud.output("WorkteamArn")
    assert team["SubDomain"] == workforce["SubDomain"]
    types = {
        resource["ResourceType"]
        for resource in workshop.cloud.client("cloudformation").describe_stack_resources(
            StackName="Groundwork"
        )["StackResources"]
    }
    assert {"AWS::SageMaker::Workforce", "AWS::SageMaker::Workteam"} <= types
    assert not {"Custom::Workforce", "Custom::Workteam"} & types


def test_a_job_survives_a_restart_of_the_local_cloud_and_its_results_are_right(
    workshop: Workshop,
) -> None:
    job = workshop.job_name
    with workshop.crowd() as crowd:
        workshop.wait_until(job, lambda _: len(crowd.accepted) >= 3, crowd)
    before = len(crowd.accepted)
    workshop.cloud.stop()
    workshop.cloud.start()
    with workshop.crowd() as crowd:
        state = workshop.wait_until(job, lambda state: state.is_over, crowd)
    assert before + len(crowd.accepted) == PHOTOS
    assert state.status == "Completed", state
    assert state.counters["HumanLabeled"] == state.counters["TotalLabeled"] == PHOTOS
    summary = summarize(workshop.results(state), workshop.truth)
    assert summary.states[LabelState.HUMAN] == summary.objects == PHOTOS
    assert summary.human_mean_iou is not None
    assert summary.human_mean_iou > 0.8


def test_deploying_again_starts_no_new_job(workshop: Workshop) -> None:
    before = job_names(workshop.cloud)
    workshop.deploy()
    assert job_names(workshop.cloud) == before


def test_other_labels_start_a_new_job_that_destroying_stops(workshop: Workshop) -> None:
    (first,) = job_names(workshop.cloud)
    workshop.deploy(labels=json.dumps([*SAMPLE_LABELS, "Anchor"]))
    jobs = job_names(workshop.cloud)
    assert jobs == [first, workshop.job_name]
    state = workshop.wait_until(jobs[1], lambda state: state.status == "InProgress")
    assert Counter(described(workshop.cloud, name)["LabelingJobStatus"] for name in jobs) == {
        "Completed": 1,
        "InProgress": 1,
    }

    workshop.cloud.destroy([], assembly="workshop")
    stopped = described(workshop.cloud, state.name)
    assert stopped["LabelingJobStatus"] == "Stopped"
    sagemaker = workshop.cloud.client("sagemaker")
    assert sagemaker.list_workteams()["Workteams"] == []
    assert sagemaker.list_workforces()["Workforces"] == []


def test_destroying_leaves_nothing(workshop: Workshop) -> None:
    destroy(workshop.cloud)
    assert leftovers(workshop.cloud) == []
