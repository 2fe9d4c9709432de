"""engine=open on the local cloud, with real photographs.

The tests go through one workshop's life in order.
"""

import io
import json
import os
import signal
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from groundwork.contract.builtin_tasks import (
    BUILTIN_TASKS,
    consolidation_lambda_arn,
    pre_lambda_arn,
)
from groundwork.demo.crowd import AcceptedAnswer, Crowd, Drawer, new_password_for
from groundwork.local.cloud import LocalCloud, Mail
from groundwork.local.emulator import ACCOUNT, REGION
from groundwork.local.invitations import invitations
from groundwork.local.leftovers import leftovers
from groundwork.local.workshop import OPEN, JobState, destroy
from groundwork.manifest import LabelState
from groundwork.portal.worker_client import WorkerClient
from groundwork.results.summary import summarize
from groundwork.results.truth import Truth
from groundwork.templates import default_template
from tests.support.local_workshop import (
    WORKERS,
    Workshop,
    described,
    job_names,
    settings,
    shared_folder,
)
from tests.support.project_copy import next_release
from tests.support.secrets_seen import Witness, found, places

LABELS = ("DHL", "McDonalds", "RedBull")
PHOTOS = 30
BATCH = 20
CLASSIFIED = 6
TASK = BUILTIN_TASKS["ImageMultiClass"]
OPERATOR = "ops@example.com"
NEXT_RELEASE = {
    "groundwork/logs.py": ('"logger": record.name,', '"logger": record.name, "release": "next",'),
    "stacks/constructs/loop_definition.py": (
        "One labeling job from",
        "The next release's job from",
    ),
    "lambdas/portal/handler.py": ("The worker portal behind", "The next worker portal behind"),
}


@pytest.fixture(scope="module", autouse=True)
def witness() -> Iterator[Witness]:
    """The secrets of all tests here."""
    with Witness().watching() as witness:
        yield witness


@pytest.fixture(scope="module")
def workshop(cloud: LocalCloud) -> Workshop:
    logos = shared_folder("logos")
    if not (logos / "truth.json").is_file():
        pytest.skip(f"no photographs at {logos}; set GROUNDWORK_SHARED to the folder with data/")
    truth = Truth.read(logos / "truth.json")
    workshop = Workshop(cloud, OPEN, settings(logos, LABELS, BATCH), truth)
    workshop.deploy()
    return workshop


@pytest.fixture(scope="module")
def earlier() -> list[AcceptedAnswer]:
    """Answers that were accepted before the upgrade, or with a task that was taken before it."""
    return []


def test_workers_are_invited_and_told_of_the_job(workshop: Workshop) -> None:
    portal_url = workshop.cloud.output("PortalUrl")
    assert portal_url
    mails = workshop.cloud.mails()
    invited = [mail for mail in mails if mail.kind == "CognitoInvitationMessage"]
    assert len(invited) == 2
    assert all(portal_url in mail.text for mail in invited)
    workshop.wait_until(workshop.job_name, lambda _: len(notices(workshop)) == len(invited))
    assert {mail.recipient for mail in notices(workshop)} == {mail.recipient for mail in invited}
    assert all(portal_url in mail.text for mail in notices(workshop))


def test_deploying_again_starts_no_new_job(workshop: Workshop) -> None:
    before = job_names(workshop.cloud)
    assert before == [workshop.job_name]
    workshop.deploy()
    assert job_names(workshop.cloud) == before


def test_other_labels_start_a_new_job_and_stop_the_old_one(workshop: Workshop) -> None:
    old = workshop.job_name
    workshop.wait_until(old, lambda state: state.status == "InProgress")
    workshop.deploy(labels=json.dumps([*LABELS, "Other"]))
    new = workshop.job_name
    assert job_names(workshop.cloud) == [old, new]
    assert described(workshop.cloud, old)["LabelingJobStatus"] == "Stopped"
    workshop.wait_until(new, lambda state: state.status == "InProgress")


def test_an_upgrade_under_a_running_job_keeps_it_and_what_people_hold(
    workshop: Workshop, tmp_path_factory: pytest.TempPathFactory, earlier: list[AcceptedAnswer]
) -> None:
    """New code, another state machine and one more worker, while somebody draws."""
    cloud, job = workshop.cloud, workshop.job_name
    with workshop.crowd() as crowd:
        workshop.wait_until(job, partial(has_answers, crowd, 5), crowd)
    earlier += crowd.accepted
    with signed_in(workshop, WORKERS[0]) as ann:
        held = ann.take(job)
        assert held is not None

        cloud.project = next_release(tmp_path_factory.mktemp("next"), NEXT_RELEASE)
        workshop.deploy(
            worker_emails=",".join([*WORKERS, "cho@example.com"]), operator_emails=OPERATOR
        )
        assert job_names(cloud)[-1] == workshop.job_name == job
        assert described(cloud, job)["LabelingJobStatus"] == "InProgress"

        again = ann.resume(held["lease"])
        assert (again["objectId"], again["expiresAt"]) == (held["objectId"], held["expiresAt"])
        source = held["taskInput"]["taskObject"]
        drawer = Drawer(workshop.truth, seed=7, worker=0)
        content = drawer(held["taskInput"], workshop.read(source))
        ann.answer(held["lease"], content, 3.0)
    earlier.append(AcceptedAnswer(job, source, content))
    assert "cho@example.com" in {mail.recipient for mail in cloud.mails()}
    assert any(line.get("release") == "next" for line in log_lines(cloud, "Portal"))


def test_people_label_real_photographs_while_workers_of_the_emulator_die(
    workshop: Workshop, earlier: list[AcceptedAnswer]
) -> None:
    job = workshop.job_name
    killed = 0
    with workshop.crowd() as crowd:
        # Twice in mid-batch: functions die between and during their invocations.
        for wanted in (5, 15):
            workshop.wait_until(job, partial(has_answers, crowd, wanted), crowd)
            killed += kill_function_processes(workshop.cloud)
        state = workshop.wait_until(job, lambda state: state.is_over, crowd)
    assert killed >= 2
    assert state.status == "Completed", state
    assert state.counters["HumanLabeled"] == PHOTOS

    results = workshop.results(state)
    assert [result.object_id for result in results] == list(range(PHOTOS))
    assert {Path(result.source).name for result in results} == set(workshop.truth.boxes)
    summary = summarize(results, workshop.truth)
    assert summary.states[LabelState.HUMAN] == PHOTOS
    assert summary.human_mean_iou is not None
    assert summary.human_mean_iou > 0.8
    for result in results:
        assert result.metadata["type"] == "groundtruth/object-detection"
        assert result.metadata["human-annotated"] == "yes"
        assert result.metadata["job-name"] == f"labeling-job/{job}"
        assert len(result.metadata["objects"]) == len(result.label["annotations"])

    accepted = [*earlier, *crowd.accepted]
    assert len(accepted) == PHOTOS
    assert_every_accepted_answer_is_stored(workshop, job, accepted, PHOTOS)


def test_logs_and_metrics_tell_of_the_job_under_known_names(workshop: Workshop) -> None:
    """By the old release's part of the job, and the new one's."""
    job, cloud = workshop.job_name, workshop.cloud
    for name in ("TotalDatasetObjectsLabeled", "DatasetObjectsHumanAnnotated"):
        found = statistic(cloud, "Groundwork/LabelingJobs", name, "Maximum", LabelingJobName=job)
        assert found == PHOTOS, name
    assert statistic(cloud, "Groundwork/LabelingJobs", "JobsSucceeded", "Sum") == 1
    submitted = statistic(
        cloud,
        "Groundwork/Workteam",
        "TasksSubmitted",
        "Sum",
        LabelingJobName=job,
        Workteam=str(cloud.output("WorkteamArn")).rpartition("/")[2],
    )
    # A function that is killed after the write and before the line leaves one out.
    assert submitted is not None
    assert PHOTOS - 4 <= submitted <= PHOTOS

    steps = [line for line in log_lines(cloud, "Steps") if line.get("job") == job]
    assert {line["step"] for line in steps if line["event"] == "step done"} >= {
        *("prepare", "select_batch", "open_batch", "consolidate", "publish_iteration", "finish"),
    }
    assert all(line["request_id"] for line in steps)
    text = str([log_lines(cloud, each) for each in ("Steps", "Portal", "Api", "IsComplete")])
    assert "boundingBoxes" not in text
    assert "@example.com" not in text


def test_a_job_whose_loop_died_is_found_and_told_and_goes_on(
    workshop: Workshop, role_arn: str
) -> None:
    cloud, name = workshop.cloud, "killed"
    start_small_job(workshop, name, role_arn)
    with signed_in(workshop, WORKERS[0]) as ann:
        for _ in range(2):
            ann.answer(taken(workshop, ann, name)["lease"], first_label(0)({}, b""))
    states, machine = cloud.client("stepfunctions"), cloud.output("StateMachineArn")
    assert watch(cloud) == {"open": 1, "stuck": []}
    for execution in states.list_executions(stateMachineArn=machine, statusFilter="RUNNING")[
        "executions"
    ]:
        states.stop_execution(executionArn=execution["executionArn"])

    assert watch(cloud) == {"open": 1, "stuck": [name]}
    assert alarm_state(cloud, "JobStuck") == "ALARM"
    assert alarm_mails(cloud, "JobStuck")

    states.start_execution(
        stateMachineArn=machine,
        name=f"{name}_again-1",
        input=json.dumps({"job": name, "iteration": 0}),
    )
    assert watch(cloud) == {"open": 1, "stuck": []}
    with workshop.crowd(first_label) as crowd:
        state = workshop.wait_until(name, lambda state: state.is_over, crowd)
    assert state.status == "Completed", state
    assert state.counters["HumanLabeled"] == CLASSIFIED
    assert len(crowd.accepted) == CLASSIFIED - 2


def test_operators_are_told_of_a_job_that_failed(workshop: Workshop, role_arn: str) -> None:
    """Its manifest has a line that names no image."""
    name = "broken"
    start_small_job(workshop, name, role_arn, manifest='{"source-ref": 7}')
    state = workshop.wait_until(name, lambda state: state.is_over)

    assert state.status == "Failed", state
    assert alarm_state(workshop.cloud, "JobFailed") == "ALARM"
    assert alarm_mails(workshop.cloud, "JobFailed")
    (line,) = [
        line
        for line in log_lines(workshop.cloud, "Steps")
        if line["event"] == "job ended" and line["job"] == name
    ]
    assert line["reason"] == state.failure_reason


def test_the_output_tree_is_that_of_ground_truth(workshop: Workshop) -> None:
    output = described(workshop.cloud, workshop.job_name)["LabelingJobOutput"]
    root = output["OutputDatasetS3Uri"].removesuffix("manifests/output/output.manifest")
    folders = Counter(
        "/".join(key.split("/")[:-1] if "iteration" not in key else key.split("/")[:4])
        for key in workshop.keys(root)
    )
    for iteration in (1, 2):
        response = f"annotations/worker-response/iteration-{iteration}"
        assert any(folder.startswith(response) for folder in folders), folders
        for kind in ("consolidation-request", "consolidation-response"):
            folder = f"annotations/consolidated-annotation/{kind}/iteration-{iteration}"
            assert folder in folders, folders
    assert folders["manifests/output"] == 1


def test_two_workers_classify_each_image(workshop: Workshop, role_arn: str) -> None:
    name = "classes"
    start_classification(
        workshop,
        name,
        role_arn,
        workers=2,
        template=default_template("ImageMultiClass", header="Which company?"),
        pre=pre_lambda_arn(REGION, TASK),
        post=consolidation_lambda_arn(REGION, TASK),
    )

    def answer_of(worker: int) -> Any:
        # Ann is never wrong; Ben always says the same.
        def answer(task_input: dict[str, Any], picture: bytes) -> dict[str, Any]:
            assert picture
            label = LABELS[0] if worker else main_label(workshop, task_input["taskObject"])
            return {"crowd-image-classifier": {"label": label}}

        return answer

    state = workshop.label(name, answer_of)
    assert state.status == "Completed", state
    results = workshop.results(state)
    assert state.counters["HumanLabeled"] == CLASSIFIED, results
    assert len(results) == CLASSIFIED
    for result in results:
        assert result.metadata["type"] == "groundtruth/image-classification"
        assert result.class_name() in LABELS
        assert 0 <= result.metadata["confidence"] <= 1
        right = main_label(workshop, result.source)
        if right == LABELS[0]:
            assert result.class_name() == right
    for document in stored_answers(workshop, name).values():
        assert len({answer["workerId"] for answer in document["answers"]}) == 2


def test_own_functions_prepare_tasks_and_consolidate_answers(
    workshop: Workshop, role_arn: str, own_functions: tuple[str, str]
) -> None:
    name = "own-functions"
    template = default_template("ImageMultiClass", header="Which company?")
    pre, post = own_functions
    start_classification(workshop, name, role_arn, workers=1, template=template, pre=pre, post=post)
    seen: list[dict[str, Any]] = []

    def answer_of(worker: int) -> Any:
        def answer(task_input: dict[str, Any], picture: bytes) -> dict[str, Any]:
            assert worker >= 0
            assert picture
            seen.append(task_input)
            return {"crowd-image-classifier": {"label": task_input["labels"][-1]}}

        return answer

    state = workshop.label(name, answer_of)
    assert state.status == "Completed", state
    assert len(seen) == CLASSIFIED
    assert all(task["prepared"] == "by our own function" for task in seen)
    for result in workshop.results(state):
        assert result.state is LabelState.HUMAN
        assert result.label == {"joined": [{"label": "no"}], "labelers": 1}
        assert result.metadata["type"] == "groundtruth/custom"


@pytest.mark.parametrize(
    ("role", "said"),
    [
        (f"arn:aws:iam::{ACCOUNT}:role/closed-job-role", "EngineRoleArns"),
        (f"arn:aws:iam::{ACCOUNT}:role/no-such-role", "EngineRoleArns"),
        ("arn:aws:iam::999999999999:role/own-job-role", f"has to be in {ACCOUNT}"),
    ],
    ids=["does not trust the engine", "does not exist", "of another account"],
)
def test_a_role_that_the_engine_may_not_take_is_refused(
    workshop: Workshop, closed_role: str, role: str, said: str
) -> None:
    """At once and by one error; no job is left behind."""
    assert closed_role.endswith("closed-job-role")
    before = job_names(workshop.cloud)
    with pytest.raises(ClientError) as refused:
        start_classification(
            workshop,
            "refused",
            role,
            workers=1,
            template=default_template("ImageMultiClass", header="Which company?"),
            pre=pre_lambda_arn(REGION, TASK),
            post=consolidation_lambda_arn(REGION, TASK),
        )

    error = refused.value.response["Error"]
    assert error["Code"] == "ValidationException"
    assert role in error["Message"]
    assert error["Message"].count(said) == 1
    assert job_names(workshop.cloud) == before


def test_no_secret_is_written_down_or_shown(workshop: Workshop, witness: Witness) -> None:
    """Not in a log, an output, a template, a function's settings or the table, in plain text."""
    cloud = workshop.cloud
    add_logins(cloud, witness)
    kinds = {
        "client secret",
        "temporary password",
        "password",
        "cookie groundwork-session",
        "cookie groundwork-browser",
        *("code", "state", "X-Amz-Signature", "X-Amz-Security-Token"),
    }
    assert set(witness.seen) >= kinds
    searched = dict(places(cloud))
    assert len([name for name in searched if name.startswith("log group")]) > 10
    assert "Worker portal" in json.dumps(searched), "the functions' descriptions"

    leaks = {name: found(text, witness.seen) for name, text in searched.items()}
    assert {name: kinds for name, kinds in leaks.items() if kinds} == {}


def test_destroying_leaves_nothing(workshop: Workshop) -> None:
    clean_up_own_resources(workshop.cloud)
    destroy(workshop.cloud)
    assert leftovers(workshop.cloud) == []


def add_logins(cloud: LocalCloud, witness: Witness) -> None:
    """Tell the witness what only Cognito and the invited people know."""
    cognito = cloud.client("cognito-idp")
    for pool in cognito.list_user_pools(MaxResults=10)["UserPools"]:
        clients = cognito.list_user_pool_clients(UserPoolId=pool["Id"])["UserPoolClients"]
        for client in clients:
            settings = cognito.describe_user_pool_client(
                UserPoolId=pool["Id"], ClientId=client["ClientId"]
            )["UserPoolClient"]
            witness.add("client secret", settings["ClientSecret"])
    for invited in invitations(cloud.mails()):
        witness.add("temporary password", invited.temporary_password)
        witness.add("password", new_password_for(invited.email))


def notices(workshop: Workshop) -> list[Mail]:
    return [mail for mail in workshop.cloud.mails() if mail.kind == "SNS"]


def has_answers(crowd: Crowd, wanted: int, _: JobState) -> bool:
    return len(crowd.accepted) >= wanted


# --- helpers -------------------------------------------------------------------------------------


def kill_function_processes(cloud: LocalCloud) -> int:
    """Kill the processes in which the emulator runs functions; return how many there were."""
    running = cloud.emulator.running()
    assert running is not None
    children = [
        int(stat.parent.name)
        for stat in Path("/proc").glob("[0-9]*/stat")
        if parent_of(stat) == running.pid
    ]
    if not Path("/proc").exists():
        pytest.skip("finding the emulator's processes needs /proc")
    for child in children:
        os.kill(child, signal.SIGKILL)
    return len(children)


def parent_of(stat: Path) -> int:
    try:
        return int(stat.read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def stored_answers(workshop: Workshop, job: str) -> dict[str, Any]:
    """The answers files of a job, by the image's object id."""
    output = described(workshop.cloud, job)["LabelingJobOutput"]["OutputDatasetS3Uri"]
    root = output.removesuffix("manifests/output/output.manifest") + "annotations/worker-response/"
    return {key.split("/")[1]: json.loads(workshop.read(root + key)) for key in workshop.keys(root)}


def assert_every_accepted_answer_is_stored(
    workshop: Workshop, job: str, accepted: list[AcceptedAnswer], count: int
) -> None:
    stored = {
        workshop_object: [answer["answerContent"] for answer in document["answers"]]
        for workshop_object, document in stored_answers(workshop, job).items()
    }
    assert len(stored) == count
    state = workshop.wait_until(job, lambda state: state.is_over)
    ids = {result.source: str(result.object_id) for result in workshop.results(state)}
    by_object: dict[str, list[Any]] = defaultdict(list)
    for answer in accepted:
        if answer.job == job:
            by_object[ids[answer.source]].append(answer.content)
    assert set(by_object) == set(stored)
    for number, contents in by_object.items():
        assert contents == stored[number]


def main_label(workshop: Workshop, source: str) -> str:
    boxes = workshop.truth.of(source)
    assert boxes is not None
    return boxes[0].label if boxes else LABELS[0]


def signed_in(workshop: Workshop, email: str) -> WorkerClient:
    """Sign somebody in who has chosen a password before."""
    portal_url = workshop.cloud.output("PortalUrl")
    assert portal_url is not None
    address = f"127.0.0.1:{workshop.cloud.port}"
    return WorkerClient.sign_in(portal_url, email, new_password_for(email), resolve_to=address)


def taken(workshop: Workshop, worker: WorkerClient, job: str) -> dict[str, Any]:
    """Take a task as soon as there is one."""
    found: list[dict[str, Any]] = []

    def has_taken(_: JobState) -> bool:
        task = worker.take(job)
        found.extend([] if task is None else [task])
        return bool(found)

    workshop.wait_until(job, has_taken)
    return found[0]


def function_named(cloud: LocalCloud, part: str) -> Any:
    functions = cloud.client("lambda").get_paginator("list_functions").paginate()
    (found,) = [
        each
        for page in functions
        for each in page["Functions"]
        if part in each["FunctionName"] and "Framework" not in each["FunctionName"]
    ]
    return found


def log_lines(cloud: LocalCloud, part: str) -> list[dict[str, Any]]:
    """Read the JSON lines of the engine's function whose name has this part, or of the provider."""
    logs = cloud.client("logs")
    names = {
        "Steps": "LoopSteps",
        "Portal": "PortalFunction",
        "Api": "LabelingApiFunction",
        "IsComplete": "LabelingJobProviderIsComplete",
    }
    group = function_named(cloud, names[part])["LoggingConfig"]["LogGroup"]
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
    messages = [event["message"] for page in pages for event in page["events"]]
    return [json.loads(message) for message in messages if message.startswith("{")]


def statistic(
    cloud: LocalCloud, namespace: str, name: str, statistic: str, **dimensions: str
) -> float | None:
    """Return a metric's statistic over the last hours, or None if nothing was measured."""
    now = datetime.now(UTC)
    found = cloud.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=now - timedelta(hours=3),
        EndTime=now + timedelta(hours=3),
        Period=6 * 3600,
        Statistics=[statistic],
    )["Datapoints"]
    values = [float(each[statistic]) for each in found]
    if not values:
        return None
    return max(values) if statistic == "Maximum" else sum(values)


def watch(cloud: LocalCloud) -> Any:
    """Let the engine look for stuck jobs now."""
    answer = cloud.client("lambda").invoke(FunctionName=cloud.output("WatchFunctionName"))
    return json.loads(answer["Payload"].read())


def alarm_state(cloud: LocalCloud, name: str) -> str:
    alarms = cloud.client("cloudwatch").describe_alarms(AlarmNames=[f"GroundworkEngine-{name}"])
    (alarm,) = alarms["MetricAlarms"]
    state: str = alarm["StateValue"]
    return state


def alarm_mails(cloud: LocalCloud, name: str) -> list[Mail]:
    return [
        mail for mail in cloud.mails() if mail.recipient == OPERATOR and f"-{name}" in mail.text
    ]


def first_label(_worker: int) -> Any:
    """Let workers say the first label to everything."""

    def answer(_task_input: dict[str, Any], _picture: bytes) -> dict[str, Any]:
        return {"crowd-image-classifier": {"label": LABELS[0]}}

    return answer


def start_small_job(
    workshop: Workshop, name: str, role_arn: str, manifest: str | None = None
) -> None:
    start_classification(
        workshop,
        name,
        role_arn,
        workers=1,
        template=default_template("ImageMultiClass", header="Which company?"),
        pre=pre_lambda_arn(REGION, TASK),
        post=consolidation_lambda_arn(REGION, TASK),
        manifest=manifest,
    )


def start_classification(
    workshop: Workshop,
    name: str,
    role_arn: str,
    *,
    workers: int,
    template: str,
    pre: str,
    post: str,
    manifest: str | None = None,
) -> None:
    """Create a small job of its own through boto3, on some of the workshop's photographs."""
    bucket = f"s3://{workshop.cloud.output('BucketName')}"
    labeled = [box for box in sorted(workshop.truth.boxes) if workshop.truth.boxes[box]]
    lines = [
        json.dumps({"source-ref": f"{bucket}/images/{image}"}) for image in labeled[:CLASSIFIED]
    ]
    categories = {
        "document-version": "2018-11-28",
        "labels": [{"label": label} for label in LABELS],
    }
    workshop.cloud.client("sagemaker").create_labeling_job(
        LabelingJobName=name,
        LabelAttributeName="company",
        InputConfig={
            "DataSource": {
                "S3DataSource": {
                    "ManifestS3Uri": workshop.write(
                        f"{bucket}/own/{name}.manifest", manifest or "\n".join(lines)
                    )
                }
            }
        },
        OutputConfig={"S3OutputPath": f"{bucket}/own/output"},
        RoleArn=role_arn,
        LabelCategoryConfigS3Uri=workshop.write(
            f"{bucket}/own/{name}.json", json.dumps(categories)
        ),
        HumanTaskConfig={
            "WorkteamArn": workshop.cloud.output("WorkteamArn"),
            "UiConfig": {
                "UiTemplateS3Uri": workshop.write(f"{bucket}/own/{name}.liquid", template)
            },
            "PreHumanTaskLambdaArn": pre,
            "TaskTitle": "Companies",
            "TaskDescription": "Say which company the photograph shows.",
            "NumberOfHumanWorkersPerDataObject": workers,
            "TaskTimeLimitInSeconds": 120,
            "AnnotationConsolidationConfig": {"AnnotationConsolidationLambdaArn": post},
        },
    )


OWN_ROLE = "own-job-role"
CLOSED_ROLE = "closed-job-role"
OWN_FUNCTION_ROLE = "own-function-role"
OWN_SOURCE = """
import json
from urllib.parse import urlsplit
import boto3

def prepare(event, context):
    source = event["dataObject"]["source-ref"]
    task = {"taskObject": source, "labels": ["yes", "no"], "prepared": "by our own function"}
    return {"taskInput": task, "isHumanAnnotationRequired": True}

def consolidate(event, context):
    place = urlsplit(event["payload"]["s3Uri"])
    body = boto3.client("s3").get_object(Bucket=place.netloc, Key=place.path[1:])["Body"].read()
    answer = []
    for item in json.loads(body):
        contents = [json.loads(each["annotationData"]["content"]) for each in item["annotations"]]
        joined = [content["crowd-image-classifier"] for content in contents]
        label = {"joined": joined, "labelers": len({a["workerId"] for a in item["annotations"]})}
        content = {event["labelAttributeName"]: label}
        answer.append(
            {
                "datasetObjectId": item["datasetObjectId"],
                "consolidatedAnnotation": {"content": content},
            }
        )
    return answer
"""


def make_role(cloud: LocalCloud, name: str, principal: dict[str, str], actions: list[str]) -> str:
    iam = cloud.client("iam")
    trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    rights = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    arn: str = iam.create_role(
        RoleName=name,
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]["Arn"]
    iam.put_role_policy(
        RoleName=name,
        PolicyName="rights",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [rights]}),
    )
    return arn


@pytest.fixture(scope="module")
def role_arn(cloud: LocalCloud) -> str:
    """A job's role that may read, write and invoke, and that this account's functions may take."""
    principal = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    return make_role(cloud, OWN_ROLE, principal, ["s3:*", "lambda:InvokeFunction"])


@pytest.fixture(scope="module")
def closed_role(cloud: LocalCloud) -> str:
    """A role with every right on S3 that only another service may take."""
    return make_role(cloud, CLOSED_ROLE, {"Service": "ec2.amazonaws.com"}, ["s3:*"])


@pytest.fixture(scope="module")
def own_functions(cloud: LocalCloud) -> tuple[str, str]:
    """Pre- and post-annotation functions of the customer's own."""
    role = make_role(
        cloud, OWN_FUNCTION_ROLE, {"Service": "lambda.amazonaws.com"}, ["s3:GetObject"]
    )
    pre, post = (
        cloud.client("lambda").create_function(
            FunctionName=f"own-{handler}",
            Runtime="python3.13",
            Handler=f"index.{handler}",
            Role=role,
            Timeout=30,
            Code={"ZipFile": zipped("index.py", OWN_SOURCE)},
        )["FunctionArn"]
        for handler in ("prepare", "consolidate")
    )
    return pre, post


def zipped(name: str, source: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(name, source)
    return content.getvalue()


def clean_up_own_resources(cloud: LocalCloud) -> None:
    for handler in ("prepare", "consolidate"):
        cloud.client("lambda").delete_function(FunctionName=f"own-{handler}")
        cloud.client("logs").delete_log_group(logGroupName=f"/aws/lambda/own-{handler}")
    for name in (OWN_ROLE, CLOSED_ROLE, OWN_FUNCTION_ROLE):
        cloud.client("iam").delete_role_policy(RoleName=name, PolicyName="rights")
        cloud.client("iam").delete_role(RoleName=name)
