"""The custom resources against a real Cognito, S3 and IAM emulator and the engine's own API."""

import io
import json
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from PIL import Image

from groundwork.contract.builtin_tasks import (
    BUILTIN_TASKS,
    algorithm_arn,
    consolidation_lambda_arn,
    pre_lambda_arn,
)
from groundwork.custom_resources.events import ResourceEvent
from groundwork.custom_resources.failure import ResourceFailureError
from groundwork.custom_resources.labeling_job import LabelingJobResource, creation_request
from groundwork.custom_resources.worker_access import WorkerAccess
from groundwork.custom_resources.workforce import (
    AdoptedWorkforceResource,
    WorkforceResource,
    WorkteamResource,
)
from groundwork.jobs.job_store import JobStore
from groundwork.jobs.model import JobStatus
from groundwork.preflight.preflight_client import PreflightClient
from groundwork.s3_client import S3Client
from groundwork.service_client import ServiceClient
from groundwork.table_client import Table
from groundwork.templates import default_template
from lambdas.labeling_job import handler as labeling_job_handler
from lambdas.worker_access import handler as worker_access_handler
from lambdas.workforce import handler as workforce_handler
from tests.support.fake_services import ProviderFramework, resource_event
from tests.support.labeling_service import ACCOUNT, REGION, LabelingService

TASK = BUILTIN_TASKS["BoundingBox"]
HOST = "portal.example.test"
CALLBACK = f"https://{HOST}/oauth2/idpresponse"
SIGN_OUT = f"https://{HOST}/logout"
INVITATION = {"EmailSubject": "Welcome", "EmailMessage": "{username} {####}"}


class Clock:
    """The real time, ahead by as much as was slept."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def sleep(self, seconds: float) -> None:
        self.ahead += timedelta(seconds=seconds)

    def pass_by(self, **duration: float) -> None:
        self.ahead += timedelta(**duration)


# Worker access


class Pool:
    """A user pool with a client whose addresses are placeholders, a group and a topic."""

    def __init__(self, service: LabelingService) -> None:
        self.cognito = service.emulator("cognito-idp")
        self.sns = service.emulator("sns")
        self._emulator_url = service.emulator_url
        self.pool_id = self.cognito.create_user_pool(
            PoolName="workers",
            UsernameAttributes=["email"],
            AutoVerifiedAttributes=["email"],
            AdminCreateUserConfig={
                "AllowAdminCreateUserOnly": True,
                "InviteMessageTemplate": INVITATION,
            },
        )["UserPool"]["Id"]
        self.client_id = self.cognito.create_user_pool_client(
            UserPoolId=self.pool_id,
            ClientName="portal",
            GenerateSecret=True,
            AllowedOAuthFlows=["code"],
            AllowedOAuthScopes=["email", "openid"],
            AllowedOAuthFlowsUserPoolClient=True,
            SupportedIdentityProviders=["COGNITO"],
            CallbackURLs=["https://placeholder.invalid"],
            LogoutURLs=["https://placeholder.invalid"],
            ExplicitAuthFlows=["ALLOW_USER_SRP_AUTH"],
            AccessTokenValidity=30,
            TokenValidityUnits={"AccessToken": "minutes"},
        )["UserPoolClient"]["ClientId"]
        self.cognito.create_group(UserPoolId=self.pool_id, GroupName="annotators")
        self.topic = self.sns.create_topic(Name=f"notices-{self.client_id}")["TopicArn"]
        self.clock = Clock()
        resource = WorkerAccess(ServiceClient(self.cognito), ServiceClient(self.sns), self.clock)
        self.framework = ProviderFramework(resource, self.clock)

    def properties(self, *emails: str, **others: Any) -> dict[str, Any]:
        return {
            "SubDomain": HOST,
            "UserPool": self.pool_id,
            "ClientId": self.client_id,
            "Group": "annotators",
            "WorkerEmails": list(emails),
            "ManageClient": "true",
            "TopicArn": self.topic,
            **others,
        }

    def run(self, request_type: str, *emails: str, **others: Any) -> dict[str, Any]:
        physical_id = None if request_type == "Create" else f"{self.pool_id}/annotators"
        event = resource_event(
            request_type,
            "Custom::WorkerAccess",
            self.properties(*emails, **others),
            physical_id=physical_id,
        )
        return self.framework.run(event)

    def client(self) -> dict[str, Any]:
        answer = self.cognito.describe_user_pool_client(
            UserPoolId=self.pool_id, ClientId=self.client_id
        )
        client: dict[str, Any] = answer["UserPoolClient"]
        return {key: value for key, value in client.items() if key != "LastModifiedDate"}

    def emails(self, group: str | None = None) -> set[str]:
        if group is None:
            users = self.cognito.list_users(UserPoolId=self.pool_id)["Users"]
        else:
            users = self.cognito.list_users_in_group(UserPoolId=self.pool_id, GroupName=group)[
                "Users"
            ]
        return {
            item["Value"]
            for user in users
            for item in user["Attributes"]
            if item["Name"] == "email"
        }

    def groups(self) -> set[str]:
        groups = self.cognito.list_groups(UserPoolId=self.pool_id)["Groups"]
        return {group["GroupName"] for group in groups}

    def mails_to(self, email: str) -> list[str]:
        address = f"{self._emulator_url}/_ministack/ses/messages?account={ACCOUNT}"
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(address, timeout=10) as answer:
            messages = json.load(answer)["messages"].get(ACCOUNT, [])
        return [message["Subject"] for message in messages if email in message["To"]]

    def subscribed(self) -> list[str]:
        found = self.sns.list_subscriptions_by_topic(TopicArn=self.topic)["Subscriptions"]
        return sorted(subscription["Endpoint"] for subscription in found)


@pytest.fixture
def pool(running_service: LabelingService) -> Iterator[Pool]:
    pool = Pool(running_service)
    yield pool
    pool.cognito.delete_user_pool(UserPoolId=pool.pool_id)
    pool.sns.delete_topic(TopicArn=pool.topic)


def test_workers_can_sign_in_after_the_resource_was_created(pool: Pool) -> None:
    answer = pool.run("Create", "ana@first.test", "ben@first.test")
    assert answer["PortalUrl"] == f"https://{HOST}"
    assert pool.emails("annotators") == {"ana@first.test", "ben@first.test"}
    assert len(pool.mails_to("ana@first.test")) == 1
    assert pool.subscribed() == ["ana@first.test", "ben@first.test"]
    assert CALLBACK in pool.client()["CallbackURLs"]


def test_mending_the_addresses_keeps_every_other_setting_of_the_client(pool: Pool) -> None:
    before = pool.client()
    pool.run("Create")
    assert pool.client() == {
        **before,
        "CallbackURLs": ["https://placeholder.invalid", CALLBACK],
        "LogoutURLs": ["https://placeholder.invalid", SIGN_OUT],
    }
    pool.cognito.update_user_pool_client(
        UserPoolId=pool.pool_id,
        **{k: v for k, v in before.items() if k in ("ClientId", "ClientName")},
        CallbackURLs=["https://overwritten.invalid"],
    )
    pool.run("Update")
    assert pool.client()["CallbackURLs"] == ["https://overwritten.invalid", CALLBACK]
    assert pool.client()["AccessTokenValidity"] == 30


def test_a_repeated_event_sends_neither_mail_nor_confirmation_again(pool: Pool) -> None:
    pool.run("Create", "ana@second.test")
    pool.run("Create", "Ana@Second.test")
    pool.run("Update", "ana@second.test")
    assert len(pool.mails_to("ana@second.test")) == 1
    assert pool.subscribed() == ["ana@second.test"]
    assert pool.emails() == {"ana@second.test"}


def test_an_invitation_that_ran_out_is_sent_again(pool: Pool) -> None:
    pool.run("Create", "ana@third.test")
    pool.clock.pass_by(days=8)
    pool.run("Update", "ana@third.test")
    assert len(pool.mails_to("ana@third.test")) == 2


def test_deletion_leaves_the_users_and_groups_of_others_alone(pool: Pool) -> None:
    for email in ("boss@fourth.test", "ana@fourth.test"):
        pool.cognito.admin_create_user(
            UserPoolId=pool.pool_id,
            Username=email,
            UserAttributes=[{"Name": "email", "Value": email}],
            MessageAction="SUPPRESS",
        )
    pool.cognito.create_group(UserPoolId=pool.pool_id, GroupName="others")
    pool.run("Create", "ana@fourth.test", "ben@fourth.test", "cem@fourth.test")
    cem = pool.cognito.admin_get_user(UserPoolId=pool.pool_id, Username="cem@fourth.test")
    pool.cognito.admin_add_user_to_group(
        UserPoolId=pool.pool_id, Username=cem["Username"], GroupName="others"
    )
    pool.run("Delete", "ana@fourth.test", "ben@fourth.test", "cem@fourth.test")
    assert pool.emails() == {"boss@fourth.test", "ana@fourth.test", "cem@fourth.test"}
    assert pool.emails("annotators") == set()
    assert pool.groups() == {"annotators", "others"}
    pool.run("Delete", "ana@fourth.test", "ben@fourth.test")


def test_a_deleted_pool_needs_no_more_deletion(running_service: LabelingService) -> None:
    pool = Pool(running_service)
    pool.run("Create", "ana@fifth.test")
    pool.cognito.delete_user_pool(UserPoolId=pool.pool_id)
    assert pool.run("Delete", "ana@fifth.test")["PhysicalResourceId"]


def test_the_invitation_names_the_portal_and_the_pool_keeps_its_settings(pool: Pool) -> None:
    before = pool.cognito.describe_user_pool(UserPoolId=pool.pool_id)["UserPool"]
    pool.run(
        "Create",
        "ana@sixth.test",
        InvitationSubject="Come and label",
        InvitationMessage="Go to {portal} as {username} with {####}",
    )
    after = pool.cognito.describe_user_pool(UserPoolId=pool.pool_id)["UserPool"]
    template = after["AdminCreateUserConfig"]["InviteMessageTemplate"]
    assert template["EmailMessage"] == f"Go to https://{HOST} as {{username}} with {{####}}"
    assert pool.mails_to("ana@sixth.test") == ["Come and label"]
    for key in ("Policies", "AutoVerifiedAttributes", "UsernameAttributes", "MfaConfiguration"):
        assert after.get(key) == before.get(key)
    assert after["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is True


def test_a_missing_pool_is_told_in_cognitos_own_words(pool: Pool) -> None:
    with pytest.raises(ResourceFailureError, match="ResourceNotFoundException: "):
        pool.run("Create", UserPool="us-east-1_Missing01")


# Workforce and work team

COGNITO = {"ClientId": "client1", "UserPool": "us-east-1_Pool00001"}
WORKFORCE = {"WorkforceName": "Workshop", "CognitoConfig": COGNITO}
TEAM = {
    "WorkteamName": "Workshop",
    "WorkforceName": "Workshop",
    "Description": "Labels photos",
    "MemberDefinitions": [
        {
            "CognitoMemberDefinition": {
                "CognitoUserPool": COGNITO["UserPool"],
                "CognitoUserGroup": "annotators",
                "CognitoClientId": COGNITO["ClientId"],
            }
        }
    ],
    "NotificationConfiguration": {
        "NotificationTopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:notices"
    },
    "Tags": [{"Key": "course", "Value": "vision"}],
}


class Labeling:
    """The engine's API, and the resources that use it."""

    def __init__(self, service: LabelingService) -> None:
        self.api = service.labeling()
        labeling, clock = ServiceClient(self.api), Clock()
        self.workforce = ProviderFramework(
            WorkforceResource(labeling, clock, REGION, ACCOUNT), clock
        )
        self.team = ProviderFramework(WorkteamResource(labeling, clock, REGION, ACCOUNT), clock)
        self.adopted = ProviderFramework(AdoptedWorkforceResource(labeling, clock), clock)

    def create(self) -> tuple[dict[str, Any], dict[str, Any]]:
        workforce = self.workforce.run(resource_event("Create", "Custom::Workforce", WORKFORCE))
        return workforce, self.team.run(resource_event("Create", "Custom::Workteam", TEAM))


@pytest.fixture
def workforces(service: LabelingService) -> Labeling:
    return Labeling(service)


def test_workforce_and_team_are_made_found_again_and_deleted_in_order(
    workforces: Labeling,
) -> None:
    created = workforces.create()
    assert created == workforces.create()
    workforce, team = created
    assert workforce["WorkforceArn"] == workforce["PhysicalResourceId"]
    assert workforce["SubDomain"] == HOST
    assert team["WorkteamArn"] == team["PhysicalResourceId"]
    described = workforces.api.describe_workteam(WorkteamName="Workshop")["Workteam"]
    assert described["MemberDefinitions"][0]["CognitoMemberDefinition"]["UserGroup"] == "annotators"

    deletion = workforces.workforce.start(
        resource_event(
            "Delete",
            "Custom::Workforce",
            WORKFORCE,
            physical_id=workforce["PhysicalResourceId"],
        )
    )
    assert workforces.workforce.poll(deletion) == {"IsComplete": False}
    workforces.team.run(
        resource_event("Delete", "Custom::Workteam", TEAM, physical_id=team["PhysicalResourceId"])
    )
    while not workforces.workforce.poll(deletion)["IsComplete"]:
        pass
    assert workforces.api.list_workforces()["Workforces"] == []
    assert workforces.api.list_workteams()["Workteams"] == []


def test_a_team_is_updated_in_place(workforces: Labeling) -> None:
    _, team = workforces.create()
    changed = {
        **{key: value for key, value in TEAM.items() if key != "NotificationConfiguration"},
        "Description": "Labels all photos",
        "Tags": [{"Key": "course", "Value": "language"}],
    }
    workforces.team.run(
        resource_event(
            "Update",
            "Custom::Workteam",
            changed,
            old=TEAM,
            physical_id=team["PhysicalResourceId"],
        )
    )
    described = workforces.api.describe_workteam(WorkteamName="Workshop")["Workteam"]
    assert described["Description"] == "Labels all photos"
    assert not described.get("NotificationConfiguration")
    tags = workforces.api.list_tags(ResourceArn=team["WorkteamArn"])["Tags"]
    assert {"Key": "course", "Value": "language"} in tags


def test_a_second_workforce_is_refused_with_the_way_out(workforces: Labeling) -> None:
    workforces.create()
    second = {
        "WorkforceName": "Second",
        "CognitoConfig": {"ClientId": "client2", "UserPool": "us-east-1_Pool00002"},
    }
    with pytest.raises(ResourceFailureError) as caught:
        workforces.workforce.run(resource_event("Create", "Custom::Workforce", second))
    assert "ValidationException: " in str(caught.value)
    assert "`workforce: adopt`" in str(caught.value)


def test_another_stacks_team_is_left_alone(workforces: Labeling) -> None:
    _, team = workforces.create()
    foreign = {**resource_event("Create", "Custom::Workteam", TEAM), "StackId": "arn:aws:other"}
    with pytest.raises(ResourceFailureError, match="does not belong to this stack"):
        workforces.team.run(foreign)
    rollback = resource_event(
        "Delete", "Custom::Workteam", TEAM, physical_id=team["PhysicalResourceId"]
    )
    workforces.team.run({**rollback, "StackId": "arn:aws:other"})
    assert workforces.api.describe_workteam(WorkteamName="Workshop")


def test_the_workforce_there_is_can_be_adopted(workforces: Labeling) -> None:
    with pytest.raises(ResourceFailureError, match="no private workforce in this account"):
        workforces.adopted.run(resource_event("Create", "Custom::AdoptedWorkforce", {}))
    workforce, _ = workforces.create()
    adopted = workforces.adopted.run(resource_event("Create", "Custom::AdoptedWorkforce", {}))
    assert adopted["WorkforceArn"] == workforce["WorkforceArn"]
    assert (adopted["UserPool"], adopted["ClientId"]) == (COGNITO["UserPool"], COGNITO["ClientId"])


# Labeling job


def photo(width: int = 32, height: int = 24, format_name: str = "JPEG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), "white").save(file, format_name)
    return file.getvalue()


class Workshop:
    """A bucket, a role and a team for a labeling job, and the resource that makes it."""

    def __init__(self, service: LabelingService) -> None:
        self.service = service
        self.api = service.labeling()
        self.s3 = service.emulator("s3")
        self.iam = service.emulator("iam")
        self.bucket = "workshop-data"
        self.team = Labeling(service).create()[1]["WorkteamArn"]
        self.clock = Clock()
        labeling = ServiceClient(self.api)
        self.preflight = PreflightClient(
            S3Client(self.s3), labeling, ServiceClient(self.iam), region=REGION, account=ACCOUNT
        )
        resource = LabelingJobResource(
            labeling,
            self.preflight.findings,
            clock=self.clock,
            sleep=self.clock.sleep,
            region=REGION,
            account=ACCOUNT,
        )
        self.framework = ProviderFramework(resource, self.clock)
        self.s3.create_bucket(Bucket=self.bucket)
        self.put("labels.json", label_file("logo"))
        self.put("template.html", default_template(TASK.key).encode())
        self.put("images/1.jpg", photo())
        self.put("images/2.png", photo(format_name="PNG"))
        self.put("input.manifest", self.manifest("images/1.jpg", "images/2.png"))
        self.allow_cors(self.bucket)
        self.role = self.iam.create_role(
            RoleName="workshop-job",
            AssumeRolePolicyDocument=json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Action": "sts:AssumeRole",
                            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                        }
                    ],
                }
            ),
        )["Role"]["Arn"]

    def put(self, key: str, body: bytes) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)

    def manifest(self, *keys: str) -> bytes:
        uris = [key if key.startswith("s3://") else f"s3://{self.bucket}/{key}" for key in keys]
        return b"".join(json.dumps({"source-ref": uri}).encode() + b"\n" for uri in uris)

    def allow_cors(self, bucket: str) -> None:
        rule = {
            "AllowedHeaders": [],
            "AllowedMethods": ["GET"],
            "AllowedOrigins": ["*"],
            "ExposeHeaders": ["Access-Control-Allow-Origin"],
        }
        self.s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})

    def properties(self, **others: Any) -> dict[str, Any]:
        return {
            "NamePrefix": "Workshop",
            "InputManifestUri": f"s3://{self.bucket}/input.manifest",
            "OutputPath": f"s3://{self.bucket}/output",
            "RoleArn": self.role,
            "WorkteamArn": self.team,
            "TaskType": TASK.key,
            "LabelAttributeName": "label",
            "LabelCategoryConfigUri": f"s3://{self.bucket}/labels.json",
            "UiTemplateUri": f"s3://{self.bucket}/template.html",
            "TaskTitle": "Draw boxes",
            "TaskDescription": "Draw a box around every logo",
            "TaskKeywords": ["images"],
            "WorkersPerObject": "1",
            "BatchSize": "10",
            "TaskTimeLimitSeconds": "300",
            "AutoLabeling": "false",
            "Tags": {"course": "vision"},
            "InputHash": "1",
            "Engine": "open",
            "PreLambdaArn": pre_lambda_arn(REGION, TASK),
            "ConsolidationLambdaArn": consolidation_lambda_arn(REGION, TASK),
            "AlgorithmArn": algorithm_arn(REGION, TASK),
            **others,
        }

    def create(self, **others: Any) -> dict[str, Any]:
        event = resource_event("Create", "Custom::LabelingJob", self.properties(**others))
        return self.framework.run(event)

    def update(
        self, physical_id: str, before: Mapping[str, Any], after: Mapping[str, Any], request_id: str
    ) -> dict[str, Any]:
        event = resource_event(
            "Update",
            "Custom::LabelingJob",
            after,
            old=before,
            physical_id=physical_id,
            request_id=request_id,
        )
        return self.framework.run(event)

    def jobs(self) -> list[str]:
        summaries = self.api.list_labeling_jobs()["LabelingJobSummaryList"]
        return sorted(summary["LabelingJobName"] for summary in summaries)

    def remove(self) -> None:
        for item in self.s3.list_objects_v2(Bucket=self.bucket).get("Contents", []):
            self.s3.delete_object(Bucket=self.bucket, Key=item["Key"])
        self.s3.delete_bucket(Bucket=self.bucket)
        self.iam.delete_role(RoleName="workshop-job")


def label_file(*labels: str) -> bytes:
    entries = [{"label": label} for label in labels]
    return json.dumps({"document-version": "2018-11-28", "labels": entries}).encode()


@pytest.fixture
def workshop(service: LabelingService) -> Iterator[Workshop]:
    workshop = Workshop(service)
    yield workshop
    workshop.remove()


def test_a_job_is_created_once_and_described_as_asked_for(workshop: Workshop) -> None:
    created = workshop.create()
    assert workshop.create() == created
    assert workshop.jobs() == [created["LabelingJobName"]]
    job = workshop.api.describe_labeling_job(LabelingJobName=created["LabelingJobName"])
    assert job["LabelingJobArn"] == created["PhysicalResourceId"]
    assert job["HumanTaskConfig"]["MaxConcurrentTaskCount"] == 10
    assert {"Key": "course", "Value": "vision"} in job["Tags"]
    assert created["OutputManifestUri"].startswith(f"s3://{workshop.bucket}/output/workshop-")


def test_other_tags_keep_the_job_and_other_labels_make_a_new_one(workshop: Workshop) -> None:
    before = workshop.properties()
    created = workshop.create()
    tagged = workshop.properties(Tags={"course": "language"})
    assert (
        workshop.update(created["PhysicalResourceId"], before, tagged, "u1")["LabelingJobName"]
        == (created["LabelingJobName"])
    )
    job = workshop.api.describe_labeling_job(LabelingJobName=created["LabelingJobName"])
    assert {"Key": "course", "Value": "language"} in job["Tags"]

    changed = workshop.properties(InputHash="2")
    updated = workshop.update(created["PhysicalResourceId"], before, changed, "u2")
    assert workshop.jobs() == sorted([created["LabelingJobName"], updated["LabelingJobName"]])
    back = workshop.update(updated["PhysicalResourceId"], changed, before, "u3")
    assert back["PhysicalResourceId"] == created["PhysicalResourceId"]


def test_deletion_stops_the_job_and_waits_for_it(workshop: Workshop) -> None:
    created = workshop.create()
    name, physical_id = created["LabelingJobName"], created["PhysicalResourceId"]
    event = workshop.framework.start(
        resource_event(
            "Delete", "Custom::LabelingJob", workshop.properties(), physical_id=physical_id
        )
    )
    assert workshop.framework.poll(event) == {"IsComplete": False}
    status = workshop.api.describe_labeling_job(LabelingJobName=name)["LabelingJobStatus"]
    assert status == "Stopping"
    table = Table(workshop.service.table())
    # The loop, which is a wait here, would do this.
    item = table.get("JOB", name)
    assert item is not None
    workshop.service.table().update_item(
        Key={"PK": item["PK"], "SK": item["SK"]},
        UpdateExpression="SET #s = :s",
        ExpressionAttributeNames={"#s": "status"},
        ExpressionAttributeValues={":s": str(JobStatus.STOPPED)},
    )
    assert JobStore(table).get(name).status is JobStatus.STOPPED
    assert workshop.framework.poll(event) == {"IsComplete": True}
    again = f"{physical_id.rpartition('/')[0]}/never-created"
    workshop.framework.run(
        resource_event("Delete", "Custom::LabelingJob", workshop.properties(), physical_id=again)
    )


def test_every_fault_of_a_workshop_is_told_at_once_before_there_is_a_job(
    workshop: Workshop,
) -> None:
    workshop.put("labels.json", label_file("logo", "logo"))
    workshop.put("template.html", b"<p>hello</p>")
    workshop.put("images/broken.jpg", photo()[:100])
    workshop.put("images/3.gif", photo(format_name="GIF"))
    workshop.put(
        "input.manifest",
        workshop.manifest(
            "images/1.jpg",
            "images/broken.jpg",
            "images/3.gif",
            "images/missing.jpg",
            "s3://nowhere-to-be-found/4.jpg",
        )
        + b"{broken\n",
    )
    workshop.s3.delete_bucket_cors(Bucket=workshop.bucket)
    wrong = {
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/nobody",
        "WorkteamArn": workshop.team.replace("/Workshop", "/nobody"),
    }
    event = ResourceEvent.parse(
        resource_event("Create", "Custom::LabelingJob", workshop.properties(**wrong))
    )
    findings = workshop.preflight.findings(creation_request(event, "job"), "open")
    told = "\n".join(str(problem) for problem in findings.problems)
    for part in (
        "label 'logo' occurs 2 times",
        "there is no <crowd-form>",
        "there is no <crowd-bounding-box>",
        "role/nobody: does not exist",
        "private-crowd/nobody: does not exist",
        "line 6 is not JSON",
        "bucket workshop-data (4 objects of the manifest): has no CORS rules",
        "bucket nowhere-to-be-found (1 objects of the manifest): does not exist",
        "images/broken.jpg (line 2): the image cannot be decoded",
        "images/3.gif (line 3): the file is GIF",
        "images/missing.jpg (line 4): does not exist",
    ):
        assert part in told
    assert "4.jpg" not in told
    with pytest.raises(ResourceFailureError) as caught:
        workshop.create(**wrong)
    assert f"{len(findings.problems)} problem(s) were found first" in str(caught.value)
    assert workshop.jobs() == []


def test_a_good_workshop_has_neither_problems_nor_warnings(workshop: Workshop) -> None:
    assert workshop.create()["Warnings"] == ""


def test_the_preflight_looks_at_further_buckets(workshop: Workshop) -> None:
    workshop.s3.create_bucket(Bucket="further-data")
    workshop.s3.put_object(Bucket="further-data", Key="9.jpg", Body=photo())
    workshop.put("input.manifest", workshop.manifest("images/1.jpg", "s3://further-data/9.jpg"))
    try:
        with pytest.raises(ResourceFailureError) as caught:
            workshop.create()
        assert "bucket further-data (1 objects of the manifest): has no CORS rules" in str(
            caught.value
        )
        workshop.allow_cors("further-data")
        assert workshop.create()["LabelingJobName"]
    finally:
        workshop.s3.delete_object(Bucket="further-data", Key="9.jpg")
        workshop.s3.delete_bucket(Bucket="further-data")


def test_the_open_engine_takes_jobs_with_automated_labeling(workshop: Workshop) -> None:
    assert workshop.create(AutoLabeling="true")["PhysicalResourceId"]

    (name,) = workshop.jobs()
    job = workshop.api.describe_labeling_job(LabelingJobName=name)
    algorithm = algorithm_arn(REGION, TASK)
    assert job["LabelingJobAlgorithmsConfig"] == {"LabelingJobAlgorithmSpecificationArn": algorithm}


def test_what_the_open_engine_refuses_is_told_with_the_reason(workshop: Workshop) -> None:
    algorithm = algorithm_arn(REGION, BUILTIN_TASKS["ImageMultiClass"])
    with pytest.raises(ResourceFailureError, match="task type BoundingBox takes"):
        workshop.create(AutoLabeling="true", AlgorithmArn=algorithm)
    assert workshop.jobs() == []


# Handlers


@dataclass(frozen=True)
class Context:
    """What the handlers read of a Lambda context."""

    invoked_function_arn: str = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:resource"


@pytest.mark.parametrize(
    ("handler", "resource_type", "properties"),
    [
        (labeling_job_handler, "Custom::LabelingJob", {"Engine": "open"}),
        (workforce_handler, "Custom::Workforce", WORKFORCE),
        (workforce_handler, "Custom::Workteam", TEAM),
        (workforce_handler, "Custom::AdoptedWorkforce", {}),
        (worker_access_handler, "Custom::WorkerAccess", {"UserPool": "us-east-1_Gone00001"}),
    ],
    ids=["labeling job", "workforce", "work team", "adopted workforce", "worker access"],
)
def test_the_handlers_delete_what_was_never_made(
    service: LabelingService,
    monkeypatch: pytest.MonkeyPatch,
    handler: Any,
    resource_type: str,
    properties: Mapping[str, Any],
) -> None:
    for name, value in {
        "AWS_ENDPOINT_URL": service.emulator_url,
        "AWS_ENDPOINT_URL_SAGEMAKER": service.api_url,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }.items():
        monkeypatch.setenv(name, value)
    event = resource_event(
        "Delete",
        resource_type,
        {"Group": "annotators", "ClientId": "client1", **properties},
        physical_id="never-made",
    )
    started = handler.on_event(event, Context())
    assert started["PhysicalResourceId"] == "never-made"
    assert handler.is_complete({**event, **started}, Context()) == {"IsComplete": True}
