"""Custom::WorkerAccess: sign-in addresses on the app client, and workers invited into the group."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from groundwork.contract import portal_url
from groundwork.custom_resources.events import (
    Clock,
    ResourceEvent,
    done,
    looking_again,
    started,
    waiting,
)
from groundwork.custom_resources.failure import failure, failure_of_many
from groundwork.service import Service, ServiceRefusedError
from groundwork.workers.group import StepProblem, WorkerGroup
from groundwork.workers.plan import Plan, Pool, normalized_emails

# Terraform's provider and SageMaker itself write to the client and the pool at the same time.
_CLIENT_UPDATE_ATTEMPTS = 5
# How long a workforce may take until it has a host; Terraform waits as long for Active.
_HOST_BOUND = timedelta(minutes=10)
_WARNINGS_CHARACTERS = 1000


class CognitoService(Service, Protocol):
    """Cognito's user pools; updates need to know which of the settings read can be sent back."""

    def input_members(self, operation: str) -> frozenset[str]:
        """Return which parameters an operation takes."""


class WorkerAccess:
    """The resource's three verbs."""

    def __init__(self, cognito: CognitoService, notices: Service, clock: Clock) -> None:
        self._cognito = cognito
        self._notices = notices
        self._clock = clock

    def on_event(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Name the resource; everything is done in ``is_complete``."""
        request = ResourceEvent.parse(event)
        physical_id = f"{request.text('UserPool')}/{request.text('Group')}"
        if request.request_type == "Delete":
            physical_id = request.physical_id or physical_id
        return started(physical_id, self._clock())

    def is_complete(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Do what the event asks for; running it again changes nothing."""
        return looking_again(
            self._establish_or_remove, ResourceEvent.parse(event), self._clock, _HOST_BOUND
        )

    def _establish_or_remove(self, request: ResourceEvent) -> dict[str, Any]:
        access = _Access(self._cognito, self._notices, request, self._clock())
        if request.request_type == "Delete":
            access.remove_all()
            return done()
        if not request.properties.get("SubDomain"):
            return self._wait_for_host(request)
        return done(**access.establish())

    def _wait_for_host(self, request: ResourceEvent) -> dict[str, Any]:
        if request.is_overdue(self._clock(), _HOST_BOUND):
            raise failure(
                f"The workforce still has no SubDomain after {_HOST_BOUND}.",
                to_do="look at the workforce's status (aws sagemaker list-workforces), delete it "
                "if it failed, and deploy again.",
            )
        return waiting()


class _Access:
    """One event's work on one pool, client, group and topic."""

    def __init__(
        self, cognito: CognitoService, notices: Service, request: ResourceEvent, now: datetime
    ) -> None:
        self._cognito = cognito
        self._request = request
        self._now = now
        self._pool_id = request.text("UserPool")
        self._group = request.text("Group")
        self._workers = WorkerGroup(
            cognito,
            notices,
            pool_id=self._pool_id,
            group=self._group,
            topic=request.properties.get("TopicArn"),
            creator=request.logical_id,
        )

    def establish(self) -> dict[str, str]:
        url = portal_url(self._request.text("SubDomain"))
        pool = self._describe_pool()
        warnings = self._ensure_client_urls(url)
        self._ensure_invitation(pool, url)
        plan = self._plan(pool)
        problems = self._carry_out(plan, pool)
        problems += self._workers.subscribe(self._request.properties.get("WorkerEmails", []))
        if problems:
            raise failure_of_many(
                f"{len(problems)} step(s) of giving workers access to {self._group} in "
                f"{self._pool_id} failed; all others were done.",
                [str(problem) for problem in problems],
                to_do="correct the addresses or lift the limit named above and deploy again; "
                "nobody is invited twice.",
            ) from (problems[0].error if all(each.passes for each in problems) else None)
        warnings += plan.warnings
        return {"PortalUrl": url, "Warnings": "\n".join(warnings)[:_WARNINGS_CHARACTERS]}

    def remove_all(self) -> None:
        """Take out whom this resource let in, and delete whom it created and nobody else uses."""
        try:
            users = {user.email.lower(): user for user in self._workers.users()}
            recorded = self._workers.recorded()
        except ServiceRefusedError as error:
            if error.code == "ResourceNotFoundException":  # The pool is gone, users and all.
                return
            raise self._failed("The workers' access could not be removed.", error) from error
        named = {
            users[email].username
            for email in normalized_emails(self._request.properties.get("WorkerEmails", []))
            if email in users
        }
        try:
            for username in sorted(named | recorded):
                self._workers.dismiss(username, created_here=username in recorded)
            self._workers.forget_records()
        except ServiceRefusedError as error:
            raise self._failed("The workers' access could not be removed.", error) from error

    def _plan(self, pool: Pool) -> Plan:
        try:
            return self._workers.plan(
                pool,
                wanted=self._request.properties.get("WorkerEmails", []),
                previous=self._request.old_properties.get("WorkerEmails", []),
                started_at=self._request.started_at or self._now,
                now=self._now,
            )
        except ServiceRefusedError as error:
            raise self._failed("The pool's users could not be listed.", error) from error

    def _carry_out(self, plan: Plan, pool: Pool) -> list[StepProblem]:
        try:
            return self._workers.carry_out(plan, pool)
        except ServiceRefusedError as error:
            raise self._failed("Invitations could not be recorded.", error) from error

    def _describe_pool(self) -> Pool:
        try:
            return self._workers.pool()
        except ServiceRefusedError as error:
            raise self._failed(f"The user pool {self._pool_id} cannot be read.", error) from error

    def _ensure_client_urls(self, url: str) -> tuple[str, ...]:
        """Make sure of the two addresses; UpdateUserPoolClient resets whatever it is not sent."""
        callback, sign_out = f"{url}/oauth2/idpresponse", f"{url}/logout"
        client_id = self._request.text("ClientId")
        for attempt in range(1, _CLIENT_UPDATE_ATTEMPTS + 1):
            try:
                client = self._cognito.call(
                    "describe_user_pool_client", UserPoolId=self._pool_id, ClientId=client_id
                )["UserPoolClient"]
                callbacks = _with(client.get("CallbackURLs"), callback)
                sign_outs = _with(client.get("LogoutURLs"), sign_out)
                if callbacks == client.get("CallbackURLs") and sign_outs == client.get(
                    "LogoutURLs"
                ):
                    return ()
                if not self._request.flag("ManageClient"):
                    return (
                        f"The app client {client_id} lacks {callback} or {sign_out}; its owner has "
                        "to add them before workers can sign in.",
                    )
                accepted = self._cognito.input_members("update_user_pool_client")
                # Settings without a value are refused although Describe returns them.
                settings = {
                    k: v for k, v in client.items() if k in accepted and v not in ("", None)
                }
                settings |= {"CallbackURLs": callbacks, "LogoutURLs": sign_outs}
                self._cognito.call("update_user_pool_client", **settings)
            except ServiceRefusedError as error:
                busy = error.code == "ConcurrentModificationException"
                if not busy or attempt == _CLIENT_UPDATE_ATTEMPTS:
                    raise self._failed(
                        f"The sign-in addresses of the app client {client_id} could not be set.",
                        error,
                    ) from error
            else:
                return ()
        return ()

    def _ensure_invitation(self, pool: Pool, url: str) -> None:
        """Write the portal's address into the pool's invitation, unless it is there already."""
        message = self._request.properties.get("InvitationMessage")
        if not message or not self._request.flag("ManageClient"):
            return
        settings = dict(pool.settings)
        creation = dict(settings.get("AdminCreateUserConfig", {}))
        template = creation.get("InviteMessageTemplate", {})
        if url in template.get("EmailMessage", ""):
            return
        creation["InviteMessageTemplate"] = {
            **template,
            "EmailMessage": str(message).replace("{portal}", url),
        }
        if subject := self._request.properties.get("InvitationSubject"):
            creation["InviteMessageTemplate"]["EmailSubject"] = subject
        # Refused beside the password policy's own setting, which Describe returns as well.
        creation.pop("UnusedAccountValidityDays", None)
        settings["AdminCreateUserConfig"] = creation
        settings["UserPoolId"] = self._pool_id
        accepted = self._cognito.input_members("update_user_pool")
        settings = {k: v for k, v in settings.items() if k in accepted and v not in ("", None)}
        try:
            factors = self._cognito.call("get_user_pool_mfa_config", UserPoolId=self._pool_id)
            if "SmsConfiguration" not in settings:
                # With authenticator apps as the only second factor UpdateUserPool refuses this
                # setting for want of a phone: https://github.com/hashicorp/terraform-provider-aws/issues/4753
                settings.pop("MfaConfiguration", None)
            self._cognito.call("update_user_pool", **settings)
            after = self._cognito.call("get_user_pool_mfa_config", UserPoolId=self._pool_id)
            if _settings_of(after) != _settings_of(factors):
                self._cognito.call(
                    "set_user_pool_mfa_config", UserPoolId=self._pool_id, **_settings_of(factors)
                )
        except ServiceRefusedError as error:
            raise self._failed(
                f"The invitation of the user pool {self._pool_id} could not be set.", error
            ) from error

    def _failed(self, what: str, error: ServiceRefusedError) -> Exception:
        if error.code == "ResourceNotFoundException":
            to_do = "check that the pool, client and group exist in this region, and deploy again."
        elif error.is_access_refusal:
            to_do = f"allow cognito-idp:{_action(error.operation)} to this function's role."
        else:
            to_do = "correct what the service names and deploy again."
        return failure(what, said=error, to_do=to_do)


def _with(values: list[str] | None, wanted: str) -> list[str]:
    present = list(values or [])
    return present if wanted in present else [*present, wanted]


def _settings_of(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


def _action(operation: str) -> str:
    return "".join(word.capitalize() for word in operation.split("_"))
