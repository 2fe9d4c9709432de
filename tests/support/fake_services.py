"""Services in memory, as far as the custom resources use them."""

# ruff: noqa: N803 - parameters have the services' names

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from botocore.exceptions import ClientError

from groundwork.service import ServiceRefusedError
from groundwork.unavailable import is_passing

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
REGION = "eu-west-1"
ACCOUNT = "111122223333"
STACK = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/Workshop/0a1b"


class FakeClock:
    """A clock that only moves when told to, or when somebody sleeps by it."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now
        self.slept: list[float] = []

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)

    def pass_by(self, **duration: float) -> None:
        self.now += timedelta(**duration)


class FakeService:
    """Operations are methods; refusals can be put in front of any of them."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self._refusals: dict[str, list[tuple[str, str]]] = {}

    def refuse(self, operation: str, code: str, message: str, *, times: int = 1) -> None:
        """Have the next calls of an operation refused."""
        self._refusals.setdefault(operation, []).extend([(code, message)] * times)

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        self.calls.append((operation, parameters))
        if waiting := self._refusals.get(operation):
            code, message = waiting.pop(0)
            raise self.refusal(operation, code, message)
        method: Callable[..., dict[str, Any]] = getattr(self, operation)
        return method(**parameters)

    def called(self, operation: str) -> list[dict[str, Any]]:
        """Return the parameters of every call of an operation."""
        return [parameters for name, parameters in self.calls if name == operation]

    @staticmethod
    def refusal(operation: str, code: str, message: str) -> ServiceRefusedError:
        told = ClientError({"Error": {"Code": code, "Message": message}}, operation)
        return ServiceRefusedError(operation, code, message, is_passing=is_passing(told))


class FakeLabeling(FakeService):
    """The labeling API with Ground Truth's own codes."""

    def __init__(self) -> None:
        super().__init__()
        self.workforces: dict[str, dict[str, Any]] = {}
        self.workteams: dict[str, dict[str, Any]] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self.new_workforce_status = "Active"

    def create_workforce(
        self, WorkforceName: str, CognitoConfig: Mapping[str, str], Tags: Any = ()
    ) -> dict[str, Any]:
        if self.workforces:
            raise self.refusal(
                "create_workforce",
                "ValidationException",
                "You cannot create more than one workforce per account per region.",
            )
        arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:workforce/{WorkforceName}"
        self.workforces[WorkforceName] = {
            "WorkforceName": WorkforceName,
            "WorkforceArn": arn,
            "CognitoConfig": dict(CognitoConfig),
            "SubDomain": "abcdefghij.labeling.eu-west-1.sagemaker.aws",
            "Status": self.new_workforce_status,
        }
        return {"WorkforceArn": arn}

    def describe_workforce(self, WorkforceName: str) -> dict[str, Any]:
        if WorkforceName not in self.workforces:
            raise self.refusal(
                "describe_workforce", "ValidationException", f"No workforce found: {WorkforceName}"
            )
        return {"Workforce": self.workforces[WorkforceName]}

    def list_workforces(self, NextToken: str | None = None) -> dict[str, Any]:
        found = list(self.workforces.values())
        # One to a page, so that paging is exercised.
        index = int(NextToken or 0)
        page: dict[str, Any] = {"Workforces": found[index : index + 1]}
        if index + 1 < len(found):
            page["NextToken"] = str(index + 1)
        return page

    def delete_workforce(self, WorkforceName: str) -> dict[str, Any]:
        if self.workteams:
            raise self.refusal("delete_workforce", "ResourceInUse", "Work teams still exist.")
        del self.workforces[WorkforceName]
        return {}

    def create_workteam(
        self, WorkteamName: str, Tags: list[dict[str, str]], **definition: Any
    ) -> dict[str, Any]:
        arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:workteam/private-crowd/{WorkteamName}"
        definition.pop("WorkforceName", None)
        self.workteams[WorkteamName] = {
            "WorkteamName": WorkteamName,
            "WorkteamArn": arn,
            **definition,
        }
        self.tags[arn] = {tag["Key"]: tag["Value"] for tag in Tags}
        return {"WorkteamArn": arn}

    def describe_workteam(self, WorkteamName: str) -> dict[str, Any]:
        if WorkteamName not in self.workteams:
            raise self.refusal(
                "describe_workteam",
                "ValidationException",
                f"The work team {WorkteamName} was not found.",
            )
        return {"Workteam": self.workteams[WorkteamName]}

    def list_workteams(self) -> dict[str, Any]:
        return {"Workteams": list(self.workteams.values())}

    def update_workteam(self, WorkteamName: str, **definition: Any) -> dict[str, Any]:
        self.workteams[WorkteamName] |= definition
        return {"Workteam": self.workteams[WorkteamName]}

    def delete_workteam(self, WorkteamName: str) -> dict[str, Any]:
        del self.workteams[WorkteamName]
        return {"Success": True}

    def list_tags(self, ResourceArn: str) -> dict[str, Any]:
        tags = self.tags.get(ResourceArn, {})
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def add_tags(self, ResourceArn: str, Tags: list[dict[str, str]]) -> dict[str, Any]:
        known = self.tags.setdefault(ResourceArn, {})
        known |= {tag["Key"]: tag["Value"] for tag in Tags}
        return {}

    def delete_tags(self, ResourceArn: str, TagKeys: list[str]) -> dict[str, Any]:
        for key in TagKeys:
            self.tags[ResourceArn].pop(key, None)
        return {}

    def create_labeling_job(self, LabelingJobName: str, **request: Any) -> dict[str, Any]:
        if LabelingJobName in self.jobs:
            raise self.refusal("create_labeling_job", "ResourceInUse", "The name is taken.")
        arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:labeling-job/{LabelingJobName}"
        self.jobs[LabelingJobName] = {
            "LabelingJobName": LabelingJobName,
            "LabelingJobArn": arn,
            "LabelingJobStatus": "InProgress",
            **request,
        }
        return {"LabelingJobArn": arn}

    def describe_labeling_job(self, LabelingJobName: str) -> dict[str, Any]:
        if LabelingJobName not in self.jobs:
            raise self.refusal("describe_labeling_job", "ResourceNotFound", "There is no such job.")
        return self.jobs[LabelingJobName]

    def list_labeling_jobs(self, NameContains: str) -> dict[str, Any]:
        found = [job for name, job in self.jobs.items() if NameContains in name]
        keys = ("LabelingJobName", "LabelingJobArn", "LabelingJobStatus")
        return {"LabelingJobSummaryList": [{key: job[key] for key in keys} for job in found]}

    def stop_labeling_job(self, LabelingJobName: str) -> dict[str, Any]:
        self.jobs[LabelingJobName]["LabelingJobStatus"] = "Stopping"
        return {}


class FakeCognito(FakeService):
    """One user pool, listed three users at a time."""

    def __init__(self, clock: FakeClock, **settings: Any) -> None:
        super().__init__()
        self._clock = clock
        self.gone = False
        self.pool: dict[str, Any] = {
            "Id": "eu-west-1_Pool",
            "Name": "workers",
            "UsernameAttributes": ["email"],
            "Policies": {"PasswordPolicy": {"TemporaryPasswordValidityDays": 7}},
            "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": True},
            "MfaConfiguration": "OFF",
            **settings,
        }
        self.client: dict[str, Any] = {
            "UserPoolId": "eu-west-1_Pool",
            "ClientId": "client1",
            "ClientName": "portal",
            "ClientSecret": "s3cr3t",
            "CallbackURLs": ["https://placeholder.invalid"],
            "LogoutURLs": ["https://placeholder.invalid"],
            "AllowedOAuthScopes": ["openid", "email"],
            "AccessTokenValidity": 60,
            "TokenValidityUnits": {"AccessToken": "minutes"},
            "LastModifiedDate": NOW,
        }
        self.factors: dict[str, Any] = {"MfaConfiguration": "OFF"}
        self.users: dict[str, dict[str, Any]] = {}
        self._made = 0
        self.groups: dict[str, set[str]] = {"annotators": set()}
        self.mails: list[tuple[str, str]] = []

    def input_members(self, operation: str) -> frozenset[str]:
        if operation == "update_user_pool_client":
            return frozenset(self.client) - {"ClientSecret", "LastModifiedDate"}
        return (frozenset(self.pool) | {"UserPoolId"}) - {"Id", "Name", "UsernameAttributes"}

    def add_user(self, email: str, status: str = "CONFIRMED", *, age_days: float = 30) -> str:
        """Put somebody into the pool without this resource's doing."""
        username = f"user-{self._made}"
        self._made += 1
        then = self._clock() - timedelta(days=age_days)
        self.users[username] = {
            "Username": username,
            "Attributes": [{"Name": "email", "Value": email}],
            "UserStatus": status,
            "Enabled": True,
            "UserCreateDate": then,
            "UserLastModifiedDate": then,
        }
        return username

    def email_of(self, username: str) -> str:
        attributes = self.users[username]["Attributes"]
        return next(str(item["Value"]) for item in attributes if item["Name"] == "email")

    def emails_in(self, group: str) -> set[str]:
        return {self.email_of(username) for username in self.groups.get(group, set())}

    @property
    def emails(self) -> set[str]:
        return {self.email_of(username) for username in self.users}

    def describe_user_pool(self, UserPoolId: str) -> dict[str, Any]:
        self._need_pool("describe_user_pool")
        return {"UserPool": self.pool}

    def update_user_pool(self, **settings: Any) -> dict[str, Any]:
        # As Cognito does: whatever is not sent goes back to its default.
        kept = {key: self.pool[key] for key in ("Id", "Name", "UsernameAttributes")}
        self.pool = {**kept, **settings}
        self.factors = {"MfaConfiguration": settings.get("MfaConfiguration", "OFF")}
        return {}

    def get_user_pool_mfa_config(self, UserPoolId: str) -> dict[str, Any]:
        return {**self.factors, "ResponseMetadata": {"RequestId": str(len(self.calls))}}

    def set_user_pool_mfa_config(self, UserPoolId: str, **factors: Any) -> dict[str, Any]:
        self.factors = factors
        return {}

    def describe_user_pool_client(self, UserPoolId: str, ClientId: str) -> dict[str, Any]:
        self._need_pool("describe_user_pool_client")
        return {"UserPoolClient": dict(self.client)}

    def update_user_pool_client(self, **settings: Any) -> dict[str, Any]:
        kept = {key: self.client[key] for key in ("ClientSecret", "LastModifiedDate")}
        self.client = {**kept, **settings}
        return {}

    def list_users(self, UserPoolId: str, PaginationToken: str | None = None) -> dict[str, Any]:
        self._need_pool("list_users")
        found = list(self.users.values())
        index = int(PaginationToken or 0)
        page: dict[str, Any] = {"Users": found[index : index + 3]}
        if index + 3 < len(found):
            page["PaginationToken"] = str(index + 3)
        return page

    def list_users_in_group(self, UserPoolId: str, GroupName: str) -> dict[str, Any]:
        if GroupName not in self.groups:
            raise self.refusal(
                "list_users_in_group", "ResourceNotFoundException", "Group not found."
            )
        return {"Users": [self.users[name] for name in sorted(self.groups[GroupName])]}

    def create_group(self, UserPoolId: str, GroupName: str, Description: str) -> dict[str, Any]:
        if GroupName in self.groups:
            raise self.refusal("create_group", "GroupExistsException", "A group exists already.")
        self.groups[GroupName] = set()
        return {}

    def delete_group(self, UserPoolId: str, GroupName: str) -> dict[str, Any]:
        if GroupName not in self.groups:
            raise self.refusal("delete_group", "ResourceNotFoundException", "Group not found.")
        del self.groups[GroupName]
        return {}

    def admin_create_user(
        self,
        UserPoolId: str,
        Username: str,
        DesiredDeliveryMediums: list[str],
        UserAttributes: list[dict[str, str]] | None = None,
        MessageAction: str = "",
    ) -> dict[str, Any]:
        if MessageAction == "RESEND":
            if "@" not in Username and "email" in self.pool.get("UsernameAttributes", []):
                raise self.refusal(
                    "admin_create_user", "InvalidParameterException", "Username should be an email."
                )
            name = next(name for name in self.users if Username in (name, self.email_of(name)))
            self.mails.append((self.email_of(name), "RESEND"))
            self.users[name]["UserLastModifiedDate"] = self._clock()
            return {"User": self.users[name]}
        email = next(item["Value"] for item in UserAttributes or [] if item["Name"] == "email")
        if email in self.emails:
            raise self.refusal("admin_create_user", "UsernameExistsException", "It exists.")
        name = self.add_user(email, "FORCE_CHANGE_PASSWORD", age_days=0)
        self.mails.append((email, "INVITE"))
        return {"User": self.users[name]}

    def admin_get_user(self, UserPoolId: str, Username: str) -> dict[str, Any]:
        found = next(
            user for user in self.users.values() if self.email_of(user["Username"]) == Username
        )
        return {"Username": found["Username"]}

    def admin_add_user_to_group(
        self, UserPoolId: str, Username: str, GroupName: str
    ) -> dict[str, Any]:
        self.groups[GroupName].add(Username)
        return {}

    def admin_remove_user_from_group(
        self, UserPoolId: str, Username: str, GroupName: str
    ) -> dict[str, Any]:
        if GroupName not in self.groups:
            raise self.refusal("admin_remove_user_from_group", "ResourceNotFoundException", "gone")
        self.groups[GroupName].discard(Username)
        return {}

    def admin_list_groups_for_user(self, UserPoolId: str, Username: str) -> dict[str, Any]:
        if Username not in self.users:
            raise self.refusal("admin_list_groups_for_user", "UserNotFoundException", "gone")
        found = [name for name, members in self.groups.items() if Username in members]
        return {"Groups": [{"GroupName": name} for name in found]}

    def admin_delete_user(self, UserPoolId: str, Username: str) -> dict[str, Any]:
        del self.users[Username]
        for members in self.groups.values():
            members.discard(Username)
        return {}

    def _need_pool(self, operation: str) -> None:
        if self.gone:
            raise self.refusal(operation, "ResourceNotFoundException", "User pool does not exist.")


class FakeNotices(FakeService):
    """SNS with one topic."""

    def __init__(self) -> None:
        super().__init__()
        self.subscriptions: dict[str, str] = {}

    def list_subscriptions_by_topic(self, TopicArn: str) -> dict[str, Any]:
        found = [
            {"Protocol": "email", "Endpoint": email, "SubscriptionArn": arn}
            for email, arn in self.subscriptions.items()
        ]
        queue = {"Protocol": "sqs", "Endpoint": "arn:aws:sqs:::q", "SubscriptionArn": "arn:q"}
        return {"Subscriptions": [*found, queue]}

    def subscribe(self, TopicArn: str, Protocol: str, Endpoint: str) -> dict[str, Any]:
        self.subscriptions[Endpoint] = "PendingConfirmation"
        return {}

    def unsubscribe(self, SubscriptionArn: str) -> dict[str, Any]:
        self.subscriptions = {
            email: arn for email, arn in self.subscriptions.items() if arn != SubscriptionArn
        }
        return {}


def resource_event(
    request_type: str,
    resource_type: str,
    properties: Mapping[str, Any],
    *,
    old: Mapping[str, Any] | None = None,
    physical_id: str | None = None,
    request_id: str = "request-1",
) -> dict[str, Any]:
    """Return an event as CloudFormation sends it through the Provider framework."""
    event: dict[str, Any] = {
        "RequestType": request_type,
        "ResourceType": resource_type,
        "StackId": STACK,
        "LogicalResourceId": "Resource",
        "RequestId": request_id,
        "ResponseURL": "...",
        "ResourceProperties": {"ServiceToken": "arn:aws:lambda:::framework", **properties},
    }
    if old is not None:
        event["OldResourceProperties"] = {"ServiceToken": "arn:aws:lambda:::framework", **old}
    if physical_id is not None:
        event["PhysicalResourceId"] = physical_id
    return event


class PassingTime(Protocol):
    """A clock that can be moved on."""

    def pass_by(self, **duration: float) -> None: ...


class ProviderFramework:
    """Calls a resource as the CDK's framework does, which matters for what reaches ``is_complete``.

    https://github.com/aws/aws-cdk/tree/main/packages/aws-cdk-lib/custom-resources
    """

    def __init__(self, resource: Any, clock: PassingTime) -> None:
        self._resource = resource
        self._clock = clock

    def start(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Run ``on_event`` and return the event that ``is_complete`` gets."""
        answer = self._resource.on_event(event)
        if event["RequestType"] == "Delete":
            assert answer["PhysicalResourceId"] == event["PhysicalResourceId"]
        return {**event, **answer}

    def poll(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Run ``is_complete`` once."""
        answer: dict[str, Any] = self._resource.is_complete(event)
        if not answer["IsComplete"]:
            assert not answer.get("Data"), "the framework refuses Data before completion"
        return answer

    def run(self, event: Mapping[str, Any], *, polls: int = 500) -> dict[str, Any]:
        """Run an operation to its end, five seconds between polls; return id and attributes."""
        event = self.start(event)
        for _ in range(polls):
            answer = self.poll(event)
            if answer["IsComplete"]:
                return {
                    "PhysicalResourceId": event["PhysicalResourceId"],
                    **answer.get("Data", {}),
                }
            self._clock.pass_by(seconds=5)
        raise AssertionError("Operation timed out")
