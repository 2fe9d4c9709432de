"""Whom an invitation goes to, who is let in and who is put out: decided without any call."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

# https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_PasswordPolicyType.html
_DEFAULT_TEMPORARY_PASSWORD_DAYS = 7
_UNANSWERED_INVITATION = "FORCE_CHANGE_PASSWORD"
_SIGNS_IN = frozenset({"CONFIRMED", _UNANSWERED_INVITATION, "RESET_REQUIRED", "EXTERNAL_PROVIDER"})


@dataclass(frozen=True)
class PoolUser:
    """A user of the pool, as far as invitations care."""

    username: str
    email: str
    status: str
    enabled: bool
    created_at: datetime
    modified_at: datetime
    sub: str = ""

    @classmethod
    def from_answer(cls, user: Mapping[str, Any]) -> "PoolUser":
        """Read a user of ListUsers or ListUsersInGroup."""
        attributes = {item["Name"]: item.get("Value", "") for item in user.get("Attributes", [])}
        return cls(
            username=user["Username"],
            email=attributes.get("email", ""),
            status=user.get("UserStatus", "UNKNOWN"),
            enabled=user.get("Enabled", True),
            created_at=user["UserCreateDate"],
            modified_at=user["UserLastModifiedDate"],
            sub=attributes.get("sub", ""),
        )


@dataclass(frozen=True)
class Pool:
    """What the pool's settings mean for invitations."""

    settings: Mapping[str, Any] = field(repr=False)

    @property
    def temporary_password_lifetime(self) -> timedelta:
        """How long the password of an invitation works."""
        policy = self.settings.get("Policies", {}).get("PasswordPolicy", {})
        days = policy.get("TemporaryPasswordValidityDays") or _DEFAULT_TEMPORARY_PASSWORD_DAYS
        return timedelta(days=days)

    def username_for(self, email: str) -> str:
        """Return the user name to create a user with.

        A pool with e-mail *aliases* refuses user names that look like an e-mail address; one with
        e-mail *user names* demands them.
        https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-attributes.html
        """
        if "email" in self.settings.get("AliasAttributes", []):
            return f"worker-{hashlib.sha256(email.encode()).hexdigest()[:16]}"
        return email

    def invitation_name(self, user: PoolUser) -> str:
        """Return what to call an invited user by: pools with e-mail user names want those here."""
        return (
            user.email if "email" in self.settings.get("UsernameAttributes", []) else user.username
        )


@dataclass(frozen=True)
class Plan:
    """What to do so that exactly the wanted workers are in the group."""

    invite: tuple[str, ...] = ()
    resend: tuple[PoolUser, ...] = ()
    add: tuple[PoolUser, ...] = ()
    record: tuple[PoolUser, ...] = ()
    remove: tuple[PoolUser, ...] = ()
    warnings: tuple[str, ...] = ()


def normalized_emails(emails: Iterable[str]) -> tuple[str, ...]:
    """Return addresses in lower case, each once, in the order given.

    Older pools tell users apart by case, while people do not type it the same way each time.
    """
    return tuple(dict.fromkeys(email.strip().lower() for email in emails if email.strip()))


def plan_access(
    *,
    wanted: Iterable[str],
    previous: Iterable[str],
    users: Iterable[PoolUser],
    members: frozenset[str],
    recorded: frozenset[str],
    temporary_password_lifetime: timedelta,
    started_at: datetime,
    now: datetime,
) -> Plan:
    """Decide who is invited, invited again, let in and put out.

    Parameters
    ----------
    wanted, previous
        The addresses of this and of the last deployment.
    users
        Everybody in the pool.
    members, recorded
        User names in the group, and of those whom this resource created.
    started_at
        When this operation started: users made since, still invited, are from a try that broke off.
    """
    by_email: dict[str, PoolUser] = {}
    for user in users:
        known = by_email.get(user.email.lower())
        # Where case tells users apart there can be two; the one that can sign in is meant.
        if known is None or (user.status == "CONFIRMED" and known.status != "CONFIRMED"):
            by_email[user.email.lower()] = user
    invite: list[str] = []
    resend: list[PoolUser] = []
    add: list[PoolUser] = []
    record: list[PoolUser] = []
    warnings: list[str] = []
    wanted_emails = normalized_emails(wanted)
    for email in wanted_emails:
        found = by_email.get(email)
        if found is None:
            invite.append(email)
            continue
        if found.username not in members:
            add.append(found)
        if not found.enabled:
            warnings.append(
                f"{email} is disabled in the user pool and cannot sign in until enabled."
            )
        elif found.status not in _SIGNS_IN:
            warnings.append(f"{email} has the status {found.status} and may be unable to sign in.")
        elif found.status == _UNANSWERED_INVITATION:
            if found.created_at >= started_at and found.username not in recorded:
                record.append(found)
            if now - found.modified_at > temporary_password_lifetime:
                resend.append(found)
    gone = [email for email in normalized_emails(previous) if email not in wanted_emails]
    remove = [by_email[email] for email in gone if email in by_email]
    return Plan(
        tuple(invite), tuple(resend), tuple(add), tuple(record), tuple(remove), tuple(warnings)
    )
