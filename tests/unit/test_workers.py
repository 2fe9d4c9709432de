"""Workers managed by hand: the same steps as a deployment's, on a team that is there."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from groundwork.cli import main
from groundwork.service import ServiceRefusedError
from groundwork.workers.team import Team, TeamError, find_team
from tests.support.fake_services import FakeClock, FakeCognito, FakeNotices
from tests.support.output_trees import box, boxes_line, response, write_file, write_tree

TOPIC = "arn:aws:sns:eu-west-1:111122223333:notices"
GROUP = {"UserPool": "eu-west-1_Pool", "UserGroup": "annotators", "ClientId": "client1"}


def description(name: str = "annotators", **changes: Any) -> dict[str, Any]:
    return {
        "WorkteamName": name,
        "SubDomain": "abc.labeling.eu-west-1.sagemaker.aws",
        "MemberDefinitions": [{"CognitoMemberDefinition": GROUP}],
        "NotificationConfiguration": {"NotificationTopicArn": TOPIC},
        **changes,
    }


class Labeling:
    """The labeling API with some teams."""

    def __init__(self, *names: str) -> None:
        self._teams = {name: description(name) for name in names}

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        if operation == "list_workteams":
            return {"Workteams": list(self._teams.values())}
        name = parameters["WorkteamName"]
        if name not in self._teams:
            raise ServiceRefusedError(operation, "ValidationException", f"no {name}")
        return {"Workteam": self._teams[name]}


class Setting:
    """A pool, a topic and a team."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.cognito = FakeCognito(self.clock)
        self.notices = FakeNotices()
        self.team = Team(description(), self.cognito, self.notices)

    def invite(self, *emails: str) -> tuple[list[str], list[str]]:
        return self.team.invite(emails, self.clock())

    def remove(self, *emails: str) -> tuple[list[str], list[str]]:
        return self.team.remove(emails, self.clock())


@pytest.fixture
def setting() -> Setting:
    return Setting()


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_people_are_invited_once_and_those_in_the_pool_are_let_in(setting: Setting) -> None:
    setting.cognito.add_user("known@example.com")
    assert setting.invite("New@example.com", "known@example.com") == ([], [])
    assert setting.cognito.emails_in("annotators") == {"new@example.com", "known@example.com"}
    assert setting.cognito.emails_in("annotators-invited") == {"new@example.com"}
    assert len(setting.cognito.mails) == 1
    setting.invite("new@example.com")
    assert len(setting.cognito.mails) == 1
    listed = setting.team.members()
    assert [(member.email, member.state) for member in listed] == [
        ("known@example.com", "signs in"),
        ("new@example.com", "invited"),
    ]


def test_removal_deletes_whom_an_invitation_created_and_nobody_else(setting: Setting) -> None:
    setting.cognito.add_user("known@example.com")
    setting.invite("new@example.com", "known@example.com")
    unknown, problems = setting.remove("NEW@example.com", "known@example.com", "who@example.com")
    assert (unknown, problems) == (["who@example.com"], [])
    assert setting.team.members() == []
    assert setting.cognito.emails == {"known@example.com"}


def test_who_is_in_the_pool_and_not_in_the_team_is_told_and_kept(setting: Setting) -> None:
    """Else a mistyped team's worker would seem removed."""
    setting.cognito.add_user("other@example.com")
    setting.invite("ana@example.com")
    assert setting.remove("Other@example.com") == (["other@example.com"], [])
    assert setting.cognito.emails == {"other@example.com", "ana@example.com"}
    assert [member.email for member in setting.team.members()] == ["ana@example.com"]


def test_a_team_is_found_by_name_by_arn_or_as_the_only_one(setting: Setting) -> None:
    def found(labeling: Labeling, name: str | None) -> str:
        return find_team(labeling, name, setting.cognito, setting.notices).name

    assert found(Labeling("a"), None) == "a"
    arn = "arn:aws:sagemaker:eu-west-1:111122223333:workteam/private-crowd/b"
    assert found(Labeling("a", "b"), arn) == "b"
    with pytest.raises(TeamError, match="2 private work teams: a, b"):
        found(Labeling("a", "b"), None)
    with pytest.raises(TeamError, match="there are none yet"):
        found(Labeling(), None)
    with pytest.raises(ServiceRefusedError, match="no c"):
        found(Labeling("a"), "c")


def test_teams_of_other_identities_are_left_to_their_owners(setting: Setting) -> None:
    oidc = description(MemberDefinitions=[{"OidcMemberDefinition": {"Groups": ["a"]}}])
    with pytest.raises(TeamError, match="has 0 groups of a Cognito user pool"):
        Team(oidc, setting.cognito, setting.notices)


def test_the_work_report_shows_each_worker(tmp_path: Path) -> None:
    job = write_tree(tmp_path, [boxes_line("a.jpg", [box(0)]), boxes_line("b.jpg", [])])
    folder = "annotations/worker-response/iteration-2/7"
    write_file(job, f"{folder}/t.json", response("private.us-east-1.other", timeSpentInSeconds=20))
    result = run("workers", "report", job)
    assert result.exit_code == 0, result.output
    assert "private.us-east-1.abc" in result.stdout
    assert "It takes two workers on an object." in result.stdout
    first, second = json.loads(run("workers", "report", job, "--json").stdout)["workers"]
    assert (first["tasks"], first["median_seconds"], first["sub"]) == (2, 8.5, "ann")
    assert (second["worker"], second["median_seconds"]) == ("private.us-east-1.other", 20.0)
    alone = write_file(tmp_path, "alone.manifest", json.dumps(boxes_line("a.jpg", [])))
    assert "a manifest by itself has none" in run("workers", "report", alone).stdout


def test_what_is_no_address_is_told_before_anything_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_file(tmp_path, "cdk.json", "{}")
    monkeypatch.chdir(tmp_path)
    result = run("workers", "invite", "ana@example.com", "--region", "eu-west-1")
    assert result.exit_code == 2
    assert "--region belongs to --aws" in result.stderr
    result = run("workers", "list")
    assert result.exit_code == 1
    assert "The local cloud is not running" in result.stderr
