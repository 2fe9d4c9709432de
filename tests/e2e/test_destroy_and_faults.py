"""Deployments that break off and destructions that come too early, on the local cloud.

The tests go through one workshop's life in order.
"""

import pytest
from botocore.exceptions import ClientError

from groundwork.local.cloud import DeployError, LocalCloud
from groundwork.local.leftovers import leftovers
from groundwork.local.workshop import ENGINE_STACK, OPEN, LocalWorkshop, destroy, job_state
from groundwork.results.truth import Truth
from groundwork.samples import SAMPLE_LABELS, generate
from tests.support.fault_rows import Survived
from tests.support.local_workshop import Workshop, job_names, settings

PHOTOS = 6
BATCH = 3


@pytest.fixture(scope="module")
def workshop(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    images = tmp_path_factory.mktemp("photos")
    truth = Truth.read(generate(images, PHOTOS, seed=3))
    return Workshop(cloud, OPEN, settings(images, SAMPLE_LABELS, BATCH), truth)


@pytest.mark.fault(
    what="deploy over a half-made stack",
    where="the first deployment fails at its last resource, the labeling job, whose manifest is "
    "missing; then one with right settings comes",
    outcome="the failed one is rolled back and says why; the next one replaces it and its job runs",
)
def test_a_deployment_after_one_that_failed_goes_through(
    workshop: Workshop, survived: Survived
) -> None:
    context = {key: value for key, value in workshop.context.items() if key != "images"}
    context["manifest"] = "s3://nobody-has-such-a-bucket/input.manifest"
    with pytest.raises(DeployError, match="nobody-has-such-a-bucket"):
        LocalWorkshop(workshop.cloud, OPEN, context).deploy()
    assert job_names(workshop.cloud) == []

    workshop.deploy()
    assert job_names(workshop.cloud) == [workshop.job_name]
    workshop.wait_until(workshop.job_name, lambda state: state.status == "InProgress")
    survived.at(1)


@pytest.mark.fault(
    what="the engine's stack is destroyed first",
    where="while a workshop uses it and people work",
    outcome="CloudFormation refuses it, and people work on",
)
def test_the_engine_cannot_be_destroyed_under_a_workshop(
    workshop: Workshop, survived: Survived
) -> None:
    with pytest.raises(ClientError, match=r"[Ee]xport"):
        workshop.cloud.client("cloudformation").delete_stack(StackName=ENGINE_STACK)
    with workshop.crowd() as crowd:
        workshop.wait_until(workshop.job_name, lambda _: len(crowd.accepted) >= BATCH, crowd)
    survived.at(1)


@pytest.mark.fault(
    what="destroy while running",
    where="the job is in its second batch, whose tasks people hold",
    outcome="the job is stopped first; then no resource is left",
)
def test_a_running_workshop_can_be_destroyed(workshop: Workshop, survived: Survived) -> None:
    state = job_state(workshop.cloud, workshop.job_name)
    assert state.status == "InProgress", state
    destroy(workshop.cloud)
    assert leftovers(workshop.cloud) == []
    survived.at(1)


@pytest.mark.fault(
    what="a second destroy",
    where="after the first",
    outcome="it succeeds, and no resource is left",
)
def test_a_second_destroy_leaves_nothing(workshop: Workshop, survived: Survived) -> None:
    destroy(workshop.cloud)
    assert leftovers(workshop.cloud) == []
    survived.at(1)
