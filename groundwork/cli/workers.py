"""The people of a work team: invited, listed, removed, and what they did."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import wraps
from typing import Any

import click

from groundwork.cli.places import chosen_engine, chosen_s3, engine_options, local_option
from groundwork.cli.terminal import (
    json_option,
    print_json,
    print_rows,
    progress_bar,
    say,
    told_plainly,
)
from groundwork.errors import UserError
from groundwork.results.agreement import WorkerWork, read_work
from groundwork.results.output_tree import open_output
from groundwork.results.quality import AGREEMENT
from groundwork.workers.team import Member, Team, find_team


class WorkersError(UserError):
    """Something about some workers failed; the text has one line for each."""


@click.group()
def workers() -> None:
    """Invite workers into a private team, list and remove them, and show what each did.

    Of the local cloud, or with --aws of the account. Example:

    \b
        groundwork workers invite ana@example.com minsu@example.com --aws
        groundwork workers list --aws
        groundwork workers report s3://my-bucket/output/my-job
    """


def _team_options(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command be told which team is meant, and give it that team."""

    @wraps(command)
    def with_team(
        *, team: str | None, aws: bool, endpoint: str | None, region: str | None, **others: Any
    ) -> None:
        engine = chosen_engine(aws, endpoint, region)
        found = find_team(engine.labeling, team, engine.client("cognito-idp"), engine.client("sns"))
        command(team=found, **others)

    option = click.option(
        "--team", metavar="NAME", help="The work team's name or ARN; by default the only one."
    )
    return option(engine_options(with_team))


@workers.command("list")
@json_option
@told_plainly
@_team_options
def list_(*, team: Team, as_json: bool) -> None:
    """List a team's workers, and whether they have signed in yet. Example:

    \b
        groundwork workers list --aws --team annotators
    """
    members = team.members()
    if as_json:
        print_json(
            {
                "team": team.name,
                "portal": team.portal,
                "workers": [_member_dict(member) for member in members],
            }
        )
        return
    say(f"{team.name}: {len(members)} workers, who sign in at {team.portal}")
    if members:
        print_rows(
            [(member.email, member.state, f"{member.since:%Y-%m-%d}") for member in members],
            ("e-mail", "state", "since"),
        )


@workers.command()
@click.argument("emails", nargs=-1, required=True)
@json_option
@told_plainly
@_team_options
def invite(*, team: Team, emails: Sequence[str], as_json: bool) -> None:
    """Invite people by their E-MAIL addresses: each gets a mail with a temporary password.

    Who is in the user pool already is let in without one; an invitation that has run out is sent
    again. Example:

    \b
        groundwork workers invite ana@example.com --aws
    """
    wrong = [email for email in emails if "@" not in email.strip("@")]
    if wrong:
        raise click.UsageError(f"no e-mail addresses: {', '.join(wrong)}")
    warnings, problems = team.invite(emails, datetime.now(UTC))
    _end(team, warnings, problems, as_json)


@workers.command()
@click.argument("emails", nargs=-1, required=True)
@json_option
@told_plainly
@_team_options
def remove(*, team: Team, emails: Sequence[str], as_json: bool) -> None:
    """Put people out of a team. What they labeled stays.

    Users that an invitation created are deleted, unless another team has them, too. A deployment
    lets those in again that its worker_emails name. Example:

    \b
        groundwork workers remove ana@example.com --aws
    """
    unknown, problems = team.remove(emails, datetime.now(UTC))
    problems += [f"{email} is nobody in the team" for email in unknown]
    _end(team, [], problems, as_json)


@workers.command()
@click.argument("place")
@local_option
@json_option
@told_plainly
def report(*, place: str, on_local_cloud: bool, as_json: bool) -> None:
    """Show what each worker did in a job: tasks, time, agreement with the others.

    PLACE is a job's output as `groundwork results` takes it. Example:

    \b
        groundwork workers report s3://my-bucket/output/my-job
    """
    problems: list[str] = []
    output = open_output(place, chosen_s3(on_local_cloud))
    with progress_bar("Reading answers", None, "objects") as progress:
        _, found = read_work(output, problems, progress)
    by_tasks = sorted(found.values(), key=lambda worker: (-worker.tasks, worker.worker_id))
    if as_json:
        print_json({"workers": [_work_dict(worker) for worker in by_tasks], "problems": problems})
        return
    for problem in problems:
        say(f"NOTE: {problem}")
    if not by_tasks:
        say(
            "There are no workers' answers here"
            + ("." if output.is_tree else ": a manifest by itself has none. Give the job's folder.")
        )
        return
    print_rows(
        [
            (
                worker.worker_id,
                worker.tasks,
                _told(worker.median_seconds, 1),
                _told(worker.minutes, 1),
                _told(worker.agreement.value, 3),
            )
            for worker in by_tasks
        ],
        ("worker", "tasks", "median seconds", "minutes in all", "agreement"),
    )
    say(f"{AGREEMENT.term.en}: {AGREEMENT.text.en}")


def _end(team: Team, warnings: Sequence[str], problems: Sequence[str], as_json: bool) -> None:
    members = team.members()
    if as_json:
        print_json(
            {
                "team": team.name,
                "portal": team.portal,
                "workers": [_member_dict(member) for member in members],
                "warnings": list(warnings),
                "problems": list(problems),
            }
        )
    else:
        for warning in warnings:
            say(f"NOTE: {warning}")
        say(f"{team.name} has {len(members)} workers, who sign in at {team.portal}")
    if problems:
        raise WorkersError("\n".join(problems))


def _member_dict(member: Member) -> dict[str, Any]:
    return {**asdict(member), "since": member.since.isoformat()}


def _work_dict(worker: WorkerWork) -> dict[str, Any]:
    return {
        "worker": worker.worker_id,
        "sub": worker.sub,
        "tasks": worker.tasks,
        "median_seconds": worker.median_seconds,
        "minutes": worker.minutes,
        "agreement": worker.agreement.value,
        "objects_with_others": worker.agreement.count,
    }


def _told(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"
