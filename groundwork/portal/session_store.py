"""Sessions and pending sign-ins in DynamoDB, removed by its time to live."""

from datetime import UTC, datetime
from typing import Any

from boto3.dynamodb.conditions import Attr
from botocore.exceptions import ClientError

from groundwork.portal.sessions import Session
from groundwork.portal.sign_in import Identity, PendingSignIn
from groundwork.table_client import deployed_table
from groundwork.unavailable import told_if_unavailable

_SESSION = "SESSION"
_SIGN_IN = "SIGN_IN"


class SessionStore:
    """Keeps sessions by the hash of their token, and pending sign-ins by that of their state.

    Parameters
    ----------
    table
        A boto3 DynamoDB table resource with the keys ``PK`` and ``SK`` and the time to live
        attribute ``expires_at``.
    """

    def __init__(self, table: Any) -> None:
        self._table = table

    @classmethod
    def from_environment(cls) -> "SessionStore":
        """Use the table that the function was deployed with."""
        return cls(deployed_table())

    @told_if_unavailable("keeping a sign-in")
    def add_pending(self, state_hash: str, pending: PendingSignIn) -> None:
        """Keep a sign-in that was begun."""
        self._table.put_item(
            Item={
                **_key(_SIGN_IN, state_hash),
                "browser_hash": pending.browser_hash,
                "code_verifier": pending.code_verifier,
                "nonce": pending.nonce,
                "return_path": pending.return_path,
                "expires_at": _epoch(pending.expires_at),
            }
        )

    @told_if_unavailable("taking a sign-in")
    def take_pending(self, state_hash: str) -> PendingSignIn | None:
        """Return a pending sign-in and forget it in one step, so that it is used once."""
        answer = self._table.delete_item(Key=_key(_SIGN_IN, state_hash), ReturnValues="ALL_OLD")
        item = answer.get("Attributes")
        if not item:
            return None
        return PendingSignIn(
            browser_hash=item["browser_hash"],
            code_verifier=item["code_verifier"],
            nonce=item["nonce"],
            return_path=item["return_path"],
            expires_at=_time(item["expires_at"]),
        )

    @told_if_unavailable("keeping a session")
    def add(self, session: Session) -> None:
        """Keep a new session."""
        self._table.put_item(Item=_session_item(session))

    @told_if_unavailable("reading a session")
    def get(self, token_hash: str) -> Session | None:
        """Return a session, even one that has expired but was not removed yet."""
        answer = self._table.get_item(Key=_key(_SESSION, token_hash), ConsistentRead=True)
        item = answer.get("Item")
        if item is None:
            return None
        return Session(
            token_hash=token_hash,
            identity=Identity(
                subject=item["subject"],
                issuer=item["issuer"],
                username=item["username"],
                email=item["email"],
            ),
            groups=frozenset(item["groups"]),
            groups_checked_at=_time(item["groups_checked_at"]),
            expires_at=_time(item["expires_at"]),
        )

    @told_if_unavailable("writing a session")
    def update_groups(self, session: Session) -> None:
        """Write a session's groups; one that was ended meanwhile stays ended."""
        try:
            self._table.put_item(
                Item=_session_item(session), ConditionExpression=Attr("PK").exists()
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise

    @told_if_unavailable("ending a session")
    def remove(self, token_hash: str) -> None:
        """End a session; one that is gone is fine."""
        self._table.delete_item(Key=_key(_SESSION, token_hash))


def _key(kind: str, token_hash: str) -> dict[str, str]:
    return {"PK": f"{kind}#{token_hash}", "SK": kind}


def _session_item(session: Session) -> dict[str, Any]:
    return {
        **_key(_SESSION, session.token_hash),
        "subject": session.identity.subject,
        "issuer": session.identity.issuer,
        "username": session.identity.username,
        "email": session.identity.email,
        "groups": sorted(session.groups),
        "groups_checked_at": _epoch(session.groups_checked_at),
        "expires_at": _epoch(session.expires_at),
    }


def _epoch(moment: datetime) -> int:
    return int(moment.timestamp())


def _time(epoch_seconds: Any) -> datetime:
    return datetime.fromtimestamp(int(epoch_seconds), UTC)
