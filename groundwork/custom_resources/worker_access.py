"""Custom::WorkerAccess: sign-in addresses on the app client, and workers invited into the group."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from groundwork.contract import portal_url
from groundwork.custom_resources.events import Clock, ResourceEvent, done, started, waiting
from groundwork.custom_resources.failure import failure, failure_of_many
from groundwork.custom_resources.worker_plan import (
    Plan,
    Pool,
    PoolUser,
    normalized_emails,
    plan_access,
)
from groundwork.service import Service, ServiceRefusedError, pages

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
    """The resource's three verbs.

    Whom it created is recorded as the members of a second group, ``<Group>-invited``, so that a
    later update or removal leaves everybody else's users alone, in an adopted pool above all.
    """

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
        request = ResourceEvent.parse(event)
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
        self._notices = notices
        self._request = request
        self._now = now
        self._pool_id = request.text("UserPool")
        self._group = request.text("Group")
        self._record_group = f"{self._group}-invited"

    def establish(self) -> dict[str, str]:
        url = portal_url(self._request.text("SubDomain"))
        pool = self._describe_pool()
        warnings = self._ensure_client_urls(url)
        self._ensure_invitation(pool, url)
        plan = self._plan(pool)
        problems = self._carry_out(plan, pool)
        problems += self._subscribe()
        if problems:
            raise failure_of_many(
                f"{len(problems)} step(s) of giving workers access to {self._group} in "
                f"{self._pool_id} failed; all others were done.",
                problems,
                to_do="correct the addresses or lift the limit named above and deploy again; "
                "nobody is invited twice.",
            )
        warnings += plan.warnings
        return {"PortalUrl": url, "Warnings": "\n".join(warnings)[:_WARNINGS_CHARACTERS]}

    def remove_all(self) -> None:
        """Take out whom this resource let in, and delete whom it created and nobody else uses."""
        try:
            users = {user.email.lower(): user for user in self._users()}
            recorded = self._usernames_in(self._record_group)
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
                self._dismiss(username, created_here=username in recorded)
            self._call_unless_gone(
                "delete_group", GroupName=self._record_group, UserPoolId=self._pool_id
            )
        except ServiceRefusedError as error:
            raise self._failed("The workers' access could not be removed.", error) from error

    def _plan(self, pool: Pool) -> Plan:
        try:
            return plan_access(
                wanted=self._request.properties.get("WorkerEmails", []),
                previous=self._request.old_properties.get("WorkerEmails", []),
                users=self._users(),
                members=self._usernames_in(self._group),
                recorded=self._usernames_in(self._record_group),
                temporary_password_lifetime=pool.temporary_password_lifetime,
                started_at=self._request.started_at or self._now,
                now=self._now,
            )
        except ServiceRefusedError as error:
            raise self._failed("The pool's users could not be listed.", error) from error

    def _carry_out(self, plan: Plan, pool: Pool) -> list[str]:
        problems: list[str] = []
        if plan.invite or plan.record:
            self._ensure_record_group()
        for email in plan.invite:
            self._try(problems, f"inviting {email}", lambda e=email: self._invite(e, pool))
        for user in plan.record:
            self._try(problems, f"recording {user.email}", lambda u=user: self._record(u.username))
        for user in plan.resend:
            self._try(
                problems, f"inviting {user.email} again", lambda u=user: self._resend(u, pool)
            )
        for user in plan.add:
            self._try(
                problems,
                f"adding {user.email} to the group",
                lambda u=user: self._add(u.username, self._group),
            )
        if plan.remove:
            recorded = self._usernames_in(self._record_group)
            for user in plan.remove:
                self._try(
                    problems,
                    f"removing {user.email}",
                    lambda u=user: self._put_out(u, created_here=u.username in recorded),
                )
        return problems

    def _try(self, problems: list[str], doing: str, step: Any) -> None:
        try:
            step()
        except ServiceRefusedError as error:
            problems.append(f"{doing}: {error.code}: {error.message}")

    def _describe_pool(self) -> Pool:
        try:
            answer = self._cognito.call("describe_user_pool", UserPoolId=self._pool_id)
        except ServiceRefusedError as error:
            raise self._failed(f"The user pool {self._pool_id} cannot be read.", error) from error
        return Pool(answer["UserPool"])

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

    def _users(self) -> list[PoolUser]:
        """Return everybody in the pool: a filter by e-mail would miss other spellings' case."""
        found = pages(
            self._cognito, "list_users", "Users", paging="PaginationToken", UserPoolId=self._pool_id
        )
        return [PoolUser.from_answer(user) for user in found]

    def _usernames_in(self, group: str) -> frozenset[str]:
        try:
            found = list(
                pages(
                    self._cognito,
                    "list_users_in_group",
                    "Users",
                    UserPoolId=self._pool_id,
                    GroupName=group,
                )
            )
        except ServiceRefusedError as error:
            # The record group is made with the first invitation.
            if error.code == "ResourceNotFoundException" and group == self._record_group:
                return frozenset()
            raise
        return frozenset(user["Username"] for user in found)

    def _ensure_record_group(self) -> None:
        try:
            self._cognito.call(
                "create_group",
                UserPoolId=self._pool_id,
                GroupName=self._record_group,
                Description=f"Users that {self._request.logical_id} created. Gives no access.",
            )
        except ServiceRefusedError as error:
            if error.code != "GroupExistsException":
                raise self._failed("Invitations could not be recorded.", error) from error

    def _invite(self, email: str, pool: Pool) -> None:
        try:
            answer = self._cognito.call(
                "admin_create_user",
                UserPoolId=self._pool_id,
                Username=pool.username_for(email),
                UserAttributes=[
                    {"Name": "email", "Value": email},
                    {"Name": "email_verified", "Value": "true"},
                ],
                DesiredDeliveryMediums=["EMAIL"],
            )
        except ServiceRefusedError as error:
            if error.code not in ("UsernameExistsException", "AliasExistsException"):
                raise
            # Invited by somebody else since the pool was listed: theirs, so not recorded.
            found = self._cognito.call("admin_get_user", UserPoolId=self._pool_id, Username=email)
            self._add(found["Username"], self._group)
            return
        username = answer["User"]["Username"]
        try:
            self._record(username)
        except ServiceRefusedError:
            # Unrecorded it would outlive the stack.
            self._call_unless_gone("admin_delete_user", UserPoolId=self._pool_id, Username=username)
            raise
        self._add(username, self._group)

    def _record(self, username: str) -> None:
        self._add(username, self._record_group)

    def _resend(self, user: PoolUser, pool: Pool) -> None:
        self._cognito.call(
            "admin_create_user",
            UserPoolId=self._pool_id,
            Username=pool.invitation_name(user),
            MessageAction="RESEND",
            DesiredDeliveryMediums=["EMAIL"],
        )

    def _add(self, username: str, group: str) -> None:
        self._cognito.call(
            "admin_add_user_to_group",
            UserPoolId=self._pool_id,
            Username=username,
            GroupName=group,
        )

    def _put_out(self, user: PoolUser, *, created_here: bool) -> None:
        self._dismiss(user.username, created_here=created_here)
        self._unsubscribe(user.email.lower())

    def _dismiss(self, username: str, *, created_here: bool) -> None:
        user = {"UserPoolId": self._pool_id, "Username": username}
        self._call_unless_gone("admin_remove_user_from_group", GroupName=self._group, **user)
        if not created_here:
            return
        # Another stack that adopted this workforce may have let the same person in meanwhile.
        try:
            groups = {
                group["GroupName"]
                for group in pages(self._cognito, "admin_list_groups_for_user", "Groups", **user)
            }
        except ServiceRefusedError as error:
            if error.code == "UserNotFoundException":
                return
            raise
        if groups - {self._group, self._record_group}:
            self._call_unless_gone(
                "admin_remove_user_from_group", GroupName=self._record_group, **user
            )
        else:
            self._call_unless_gone("admin_delete_user", **user)

    def _subscribe(self) -> list[str]:
        """Subscribe each worker to the job notices once: SNS asks for confirmation each time."""
        topic = self._request.properties.get("TopicArn")
        emails = normalized_emails(self._request.properties.get("WorkerEmails", []))
        problems: list[str] = []
        if not topic or not emails:
            return problems
        try:
            subscribed = set(self._subscriptions(topic))
        except ServiceRefusedError as error:
            return [f"listing who gets job notices: {error.code}: {error.message}"]
        for email in emails:
            if email not in subscribed:
                self._try(
                    problems,
                    f"subscribing {email} to job notices",
                    lambda e=email: self._notices.call(
                        "subscribe", TopicArn=topic, Protocol="email", Endpoint=e
                    ),
                )
        return problems

    def _unsubscribe(self, email: str) -> None:
        topic = self._request.properties.get("TopicArn")
        subscription = self._subscriptions(topic).get(email) if topic else None
        # Until confirmed a subscription has no ARN and lapses by itself.
        if subscription and subscription.startswith("arn:"):
            self._notices.call("unsubscribe", SubscriptionArn=subscription)

    def _subscriptions(self, topic: str) -> dict[str, str]:
        found = pages(self._notices, "list_subscriptions_by_topic", "Subscriptions", TopicArn=topic)
        return {
            item["Endpoint"].lower(): item["SubscriptionArn"]
            for item in found
            if item["Protocol"] == "email"
        }

    def _call_unless_gone(self, operation: str, **parameters: Any) -> None:
        try:
            self._cognito.call(operation, **parameters)
        except ServiceRefusedError as error:
            if error.code not in ("ResourceNotFoundException", "UserNotFoundException"):
                raise

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
