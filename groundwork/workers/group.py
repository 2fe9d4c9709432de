"""A work team's group in its user pool: who is in it, invited into it, put out of it.

Whom it created is recorded as the members of a second group, ``<group>-invited``, so that a later
removal leaves everybody else's users alone, in an adopted pool above all.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from groundwork.service import Service, ServiceRefusedError, pages
from groundwork.workers.plan import Plan, Pool, PoolUser, normalized_emails, plan_access

_GONE = ("ResourceNotFoundException", "UserNotFoundException")


@dataclass(frozen=True)
class StepProblem:
    """A step that failed, and what the service said; as text, one sentence."""

    doing: str
    error: ServiceRefusedError

    @property
    def passes(self) -> bool:
        """Whether the step may succeed soon; Cognito's limit of mails lasts for a day."""
        return self.error.is_passing and self.error.code != "LimitExceededException"

    def __str__(self) -> str:
        """Return the sentence."""
        return f"{self.doing}: {self.error.code}: {self.error.message}"


class WorkerGroup:
    """One group of one pool, and the topic that tells its members of jobs.

    Parameters
    ----------
    cognito, notices
        Cognito's user pools, and SNS.
    topic
        None where nobody is told.
    creator
        Who creates users here, for the description of the group that records them.
    """

    def __init__(
        self,
        cognito: Service,
        notices: Service,
        *,
        pool_id: str,
        group: str,
        topic: str | None,
        creator: str,
    ) -> None:
        self._cognito = cognito
        self._notices = notices
        self._pool_id = pool_id
        self._group = group
        self._record_group = f"{group}-invited"
        self._topic = topic
        self._creator = creator

    def pool(self) -> Pool:
        """Return the pool's settings."""
        answer = self._cognito.call("describe_user_pool", UserPoolId=self._pool_id)
        return Pool(answer["UserPool"])

    def users(self) -> list[PoolUser]:
        """Return everybody in the pool: a filter by e-mail would miss other spellings' case."""
        found = pages(
            self._cognito, "list_users", "Users", paging="PaginationToken", UserPoolId=self._pool_id
        )
        return [PoolUser.from_answer(user) for user in found]

    def members(self) -> list[PoolUser]:
        """Return who is in the group."""
        return [PoolUser.from_answer(user) for user in self._in_group(self._group)]

    def recorded(self) -> frozenset[str]:
        """Return the user names of those who were created here."""
        try:
            return frozenset(user["Username"] for user in self._in_group(self._record_group))
        except ServiceRefusedError as error:
            # The record group is made with the first invitation.
            if error.code == "ResourceNotFoundException":
                return frozenset()
            raise

    def plan(
        self,
        pool: Pool,
        *,
        wanted: Iterable[str],
        previous: Iterable[str],
        started_at: datetime,
        now: datetime,
    ) -> Plan:
        """Decide what to do; see ``plan_access``."""
        return plan_access(
            wanted=wanted,
            previous=previous,
            users=self.users(),
            members=frozenset(user.username for user in self.members()),
            recorded=self.recorded(),
            temporary_password_lifetime=pool.temporary_password_lifetime,
            started_at=started_at,
            now=now,
        )

    def carry_out(self, plan: Plan, pool: Pool) -> list[StepProblem]:
        """Do what was decided, each step by itself; return what failed."""
        problems: list[StepProblem] = []
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
            recorded = self.recorded()
            for user in plan.remove:
                self._try(
                    problems,
                    f"removing {user.email}",
                    lambda u=user: self._put_out(u, created_here=u.username in recorded),
                )
        return problems

    def subscribe(self, emails: Iterable[str]) -> list[StepProblem]:
        """Subscribe each worker to the job notices once: SNS asks for confirmation each time.

        Return what failed.
        """
        wanted = normalized_emails(emails)
        problems: list[StepProblem] = []
        if not self._topic or not wanted:
            return problems
        try:
            subscribed = set(self._subscriptions())
        except ServiceRefusedError as error:
            return [StepProblem("listing who gets job notices", error)]
        for email in wanted:
            if email not in subscribed:
                self._try(
                    problems,
                    f"subscribing {email} to job notices",
                    lambda e=email: self._notices.call(
                        "subscribe", TopicArn=self._topic, Protocol="email", Endpoint=e
                    ),
                )
        return problems

    def dismiss(self, username: str, *, created_here: bool) -> None:
        """Put a user out of the group, and delete whom it created and nobody else uses."""
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

    def forget_records(self) -> None:
        """Delete the group that records who was created here."""
        self._call_unless_gone(
            "delete_group", GroupName=self._record_group, UserPoolId=self._pool_id
        )

    def _in_group(self, group: str) -> list[dict[str, Any]]:
        where = {"UserPoolId": self._pool_id, "GroupName": group}
        return list(pages(self._cognito, "list_users_in_group", "Users", **where))

    def _try(self, problems: list[StepProblem], doing: str, step: Any) -> None:
        try:
            step()
        except ServiceRefusedError as error:
            problems.append(StepProblem(doing, error))

    def _ensure_record_group(self) -> None:
        try:
            self._cognito.call(
                "create_group",
                UserPoolId=self._pool_id,
                GroupName=self._record_group,
                Description=f"Users that {self._creator} created. Gives no access.",
            )
        except ServiceRefusedError as error:
            if error.code != "GroupExistsException":
                raise

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
        self.dismiss(user.username, created_here=created_here)
        self._unsubscribe(user.email.lower())

    def _unsubscribe(self, email: str) -> None:
        subscription = self._subscriptions().get(email) if self._topic else None
        # Until confirmed a subscription has no ARN and lapses by itself.
        if subscription and subscription.startswith("arn:"):
            self._notices.call("unsubscribe", SubscriptionArn=subscription)

    def _subscriptions(self) -> dict[str, str]:
        found = pages(
            self._notices, "list_subscriptions_by_topic", "Subscriptions", TopicArn=self._topic
        )
        return {
            item["Endpoint"].lower(): item["SubscriptionArn"]
            for item in found
            if item["Protocol"] == "email"
        }

    def _call_unless_gone(self, operation: str, **parameters: Any) -> None:
        try:
            self._cognito.call(operation, **parameters)
        except ServiceRefusedError as error:
            if error.code not in _GONE:
                raise
