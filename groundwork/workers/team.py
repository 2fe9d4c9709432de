"""A private work team as people name it, and its group in the user pool."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from groundwork.contract import portal_url
from groundwork.errors import UserError
from groundwork.service import Service, pages
from groundwork.workers.group import WorkerGroup
from groundwork.workers.plan import PoolUser, normalized_emails

_WAITING = "FORCE_CHANGE_PASSWORD"


class TeamError(UserError):
    """A work team cannot be managed here; the text says why and what would be accepted."""


@dataclass(frozen=True)
class Member:
    """Somebody of a team.

    Parameters
    ----------
    state
        ``signs in``, ``invited`` (has not signed in yet), ``disabled``, or Cognito's own word.
    sub
        The identity in the pool, by which answers name the worker.
    """

    email: str
    state: str
    since: datetime
    username: str
    sub: str


class Team:
    """A private team whose members are in a group of a Cognito user pool.

    Parameters
    ----------
    description
        The ``Workteam`` of DescribeWorkteam.
    cognito, notices
        Cognito's user pools, and SNS.
    """

    def __init__(self, description: Mapping[str, Any], cognito: Service, notices: Service) -> None:
        self.name = str(description["WorkteamName"])
        self.portal = portal_url(str(description.get("SubDomain", "")))
        groups = [
            definition["CognitoMemberDefinition"]
            for definition in description.get("MemberDefinitions", [])
            if "CognitoMemberDefinition" in definition
        ]
        if len(groups) != 1:
            raise TeamError(
                f"The team {self.name} has {len(groups)} groups of a Cognito user pool; workers "
                "are managed here for teams of exactly one. Manage others where their "
                "identities are."
            )
        notified = description.get("NotificationConfiguration", {})
        self._group = WorkerGroup(
            cognito,
            notices,
            pool_id=groups[0]["UserPool"],
            group=groups[0]["UserGroup"],
            topic=notified.get("NotificationTopicArn") or None,
            creator="groundwork workers",
        )

    def members(self) -> list[Member]:
        """Return who is in the team, by e-mail address."""
        return sorted(map(_member, self._group.members()), key=lambda member: member.email)

    def invite(self, emails: Sequence[str], now: datetime) -> tuple[list[str], list[str]]:
        """Let people in: create users and send them mail, or let in those who are in the pool.

        An invitation that has run out is sent again. Running it again changes nothing.

        Returns
        -------
        list, list
            What a reader has to know, and what failed, one sentence each.
        """
        pool = self._group.pool()
        plan = self._group.plan(pool, wanted=emails, previous=(), started_at=now, now=now)
        problems = self._group.carry_out(plan, pool)
        problems += self._group.subscribe(emails)
        return list(plan.warnings), [str(problem) for problem in problems]

    def remove(self, emails: Sequence[str], now: datetime) -> tuple[list[str], list[str]]:
        """Put people out of the team; users that an invitation created are deleted.

        Returns
        -------
        list, list
            The addresses that nobody in the team has, and what failed, one sentence each.
        """
        pool = self._group.pool()
        plan = self._group.plan(pool, wanted=(), previous=emails, started_at=now, now=now)
        # An invitation that broke off has left somebody recorded who is no member.
        ours = {user.username for user in self._group.members()} | self._group.recorded()
        plan = replace(plan, remove=tuple(user for user in plan.remove if user.username in ours))
        found = {user.email.lower() for user in plan.remove}
        unknown = [email for email in normalized_emails(emails) if email not in found]
        problems = self._group.carry_out(plan, pool)
        return unknown, [str(problem) for problem in problems]


def find_team(labeling: Service, name: str | None, cognito: Service, notices: Service) -> Team:
    """Return a team by name or ARN; without a name, the account's only one.

    Raises
    ------
    TeamError
        If there are several and none was named, or there is none.
    ServiceRefusedError
        If the service does not know it.
    """
    if name is None:
        names = [team["WorkteamName"] for team in pages(labeling, "list_workteams", "Workteams")]
        if len(names) != 1:
            told = f"{len(names)} private work teams: {', '.join(names)}" if names else "none yet"
            raise TeamError(f"Name the team with --team; there are {told}.")
        name = str(names[0])
    short = name.rpartition("/")[2]
    answer = labeling.call("describe_workteam", WorkteamName=short)
    return Team(answer["Workteam"], cognito, notices)


def _member(user: PoolUser) -> Member:
    state = {"CONFIRMED": "signs in", _WAITING: "invited"}.get(user.status, user.status.lower())
    return Member(
        email=user.email,
        state=state if user.enabled else "disabled",
        since=user.created_at,
        username=user.username,
        sub=user.sub,
    )
