"""Sessions end when they should, and follow what Cognito says about groups."""

import pytest

from groundwork.portal.sessions import Sessions
from groundwork.portal.sign_in import Identity
from tests.support.portal_fakes import CountingTokens, FakeClock, FakeCognito, FakeRecords

ADA = Identity("sub-1", "issuer", "ada", "ada@example.com")


class Setting:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.cognito = FakeCognito(self.clock)
        self.records = FakeRecords()
        self.sessions = self.another_process()

    def another_process(self) -> Sessions:
        return Sessions(self.records, self.cognito.groups_of, self.clock, CountingTokens())


@pytest.fixture
def setting() -> Setting:
    return Setting()


def test_a_token_finds_its_session(setting: Setting) -> None:
    token, session = setting.sessions.open(ADA)
    assert setting.sessions.find(token) == session
    assert session.groups == {"labelers"}


def test_only_the_tokens_hash_is_kept(setting: Setting) -> None:
    token, _ = setting.sessions.open(ADA)
    assert token not in repr(setting.records.sessions)


@pytest.mark.parametrize("token", ["", "token-2", "token-1 "])
def test_another_token_finds_nothing(setting: Setting, token: str) -> None:
    setting.sessions.open(ADA)
    assert setting.sessions.find(token) is None


def test_a_session_ends_after_twelve_hours_even_if_its_record_stays(setting: Setting) -> None:
    token, _ = setting.sessions.open(ADA)
    setting.clock.advance(hours=11, minutes=59)
    assert setting.sessions.find(token) is not None
    setting.clock.advance(minutes=1)
    assert setting.sessions.find(token) is None
    assert setting.records.sessions


def test_signing_out_ends_the_session(setting: Setting) -> None:
    token, _ = setting.sessions.open(ADA)
    setting.sessions.end(token)
    assert setting.sessions.find(token) is None


def test_groups_are_asked_for_again_after_five_minutes(setting: Setting) -> None:
    token, _ = setting.sessions.open(ADA)
    setting.cognito.groups.clear()
    setting.clock.advance(minutes=4, seconds=59)
    still = setting.sessions.find(token)
    setting.clock.advance(seconds=1)
    later = setting.sessions.find(token)
    assert still is not None and still.groups == {"labelers"}
    assert later is not None and later.groups == frozenset()
    setting.sessions.find(token)
    assert setting.cognito.asked_for_groups == ["ada", "ada"]


def test_fresh_groups_do_not_bring_a_session_back_that_ended_meanwhile(setting: Setting) -> None:
    token, session = setting.sessions.open(ADA)
    setting.sessions.end(token)
    setting.records.update_groups(session)
    assert setting.sessions.find(token) is None


def test_a_session_is_read_once_in_a_while(setting: Setting) -> None:
    token, _ = setting.sessions.open(ADA)
    for _ in range(5):
        setting.sessions.find(token)
        setting.clock.advance(seconds=3)
    assert setting.records.reads == 1
    setting.sessions.find(token)
    assert setting.records.reads == 2


def test_signing_out_elsewhere_ends_the_session_in_a_moment(setting: Setting) -> None:
    token, _ = setting.sessions.open(ADA)
    setting.sessions.find(token)
    setting.another_process().end(token)
    setting.clock.advance(seconds=15)
    assert setting.sessions.find(token) is None
    assert setting.another_process().find(token) is None


def test_a_token_of_no_session_is_never_remembered(setting: Setting) -> None:
    assert setting.sessions.find("token-1") is None
    token, session = setting.another_process().open(ADA)
    assert setting.sessions.find(token) == session


def test_a_remembered_session_ends_when_it_should(setting: Setting) -> None:
    token, _ = setting.sessions.open(ADA)
    setting.clock.advance(hours=11, minutes=59, seconds=58)
    assert setting.sessions.find(token) is not None
    setting.clock.advance(seconds=2)
    assert setting.sessions.find(token) is None


def test_groups_that_were_asked_for_are_those_of_the_session_from_then_on(setting: Setting) -> None:
    token, _ = setting.sessions.open(ADA)
    setting.clock.advance(minutes=4, seconds=59)
    setting.sessions.find(token)
    setting.cognito.groups.clear()
    setting.clock.advance(seconds=1)
    for _ in range(2):
        found = setting.sessions.find(token)
        assert found is not None and found.groups == frozenset()
