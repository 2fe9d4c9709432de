"""Sessions: who is signed in, for how long, and with which groups."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from groundwork.portal.sign_in import Identity, PendingSignIn, hash_of
from groundwork.recent import Recent

SESSION_LIFETIME = timedelta(hours=12)
# A worker who was taken out of a group loses access within this time.
GROUPS_VALID_FOR = timedelta(minutes=5)
# A session that was ended by another process ends here within this time; the browser that signed
# out has lost the token at once.
REMEMBERED_FOR = timedelta(seconds=15)
_REMEMBERED = 500


@dataclass(frozen=True)
class Session:
    """A signed-in worker."""

    token_hash: str
    identity: Identity
    groups: frozenset[str]
    groups_checked_at: datetime
    expires_at: datetime


class SessionRecords(Protocol):
    """Where sessions and pending sign-ins are kept (``session_store.SessionStore``)."""

    def add_pending(self, state_hash: str, pending: PendingSignIn) -> None:
        """Keep a sign-in that was begun."""

    def take_pending(self, state_hash: str) -> PendingSignIn | None:
        """Return a pending sign-in and forget it, so that it is used once."""

    def add(self, session: Session) -> None:
        """Keep a new session."""

    def get(self, token_hash: str) -> Session | None:
        """Return a session, even one that has expired but was not removed yet."""

    def update_groups(self, session: Session) -> None:
        """Write a session's groups; one that was ended meanwhile stays ended."""

    def remove(self, token_hash: str) -> None:
        """End a session; one that is gone is fine."""


class Sessions:
    """Opens, finds and ends sessions; those that it found it remembers for a moment.

    Parameters
    ----------
    records
        Where they are kept.
    groups_of
        Asks Cognito for a user's groups.
    clock, new_token
        The time, and a source of unguessable tokens (``secrets.token_urlsafe``).
    """

    def __init__(
        self,
        records: SessionRecords,
        groups_of: Callable[[Identity], frozenset[str]],
        clock: Callable[[], datetime],
        new_token: Callable[[], str],
    ) -> None:
        self._records = records
        self._groups_of = groups_of
        self._clock = clock
        self._new_token = new_token
        self._remembered: Recent[str, tuple[datetime, Session]] = Recent(_REMEMBERED)

    def open(self, identity: Identity) -> tuple[str, Session]:
        """Start a session; its token is returned and only the token's hash is kept."""
        now = self._clock()
        token = self._new_token()
        session = Session(
            token_hash=hash_of(token),
            identity=identity,
            groups=self._groups_of(identity),
            groups_checked_at=now,
            expires_at=now + SESSION_LIFETIME,
        )
        self._records.add(session)
        return token, session

    def find(self, token: str) -> Session | None:
        """Return the session of a token, its groups fresh; None if it ended or never was."""
        if not token:
            return None
        now = self._clock()
        session = self._find(hash_of(token), now)
        if session is None or now >= session.expires_at:
            return None
        if now - session.groups_checked_at < GROUPS_VALID_FOR:
            return session
        fresh = replace(session, groups=self._groups_of(session.identity), groups_checked_at=now)
        self._records.update_groups(fresh)
        self._remembered.forget(fresh.token_hash)
        return fresh

    def end(self, token: str) -> None:
        """End the session of a token, if there is one."""
        if token:
            self._remembered.forget(hash_of(token))
            self._records.remove(hash_of(token))

    def _find(self, token_hash: str, now: datetime) -> Session | None:
        remembered = self._remembered.get(token_hash)
        if remembered is not None and now - remembered[0] < REMEMBERED_FOR:
            return remembered[1]
        session = self._records.get(token_hash)
        if session is None:
            self._remembered.forget(token_hash)
        else:
            self._remembered.keep(token_hash, (now, session))
        return session
