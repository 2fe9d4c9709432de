"""Data and people that are not real: for trying a workshop on the local cloud."""

import time
from collections.abc import Mapping
from pathlib import Path

import click

from groundwork.cli.places import running_cloud
from groundwork.cli.terminal import json_option, print_json, say, say_aside, told_plainly
from groundwork.demo.crowd import Crowd, Drawer
from groundwork.demo.drawing import HABITS
from groundwork.errors import UserError
from groundwork.local.invitations import invitations
from groundwork.local.workshop import JobState, job_state
from groundwork.portal.worker_client import WorkerSignInError
from groundwork.results.truth import Truth
from groundwork.samples import SAMPLE_LABELS, generate
from groundwork.service_client import ServiceClient

_POLL_SECONDS = 0.5


class SimulationError(UserError):
    """Nobody can label: there is no portal, nobody was invited, or nobody gets in."""


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--count", type=click.IntRange(1, 10_000), default=30, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@json_option
@told_plainly
def samples(folder: Path, count: int, seed: int, as_json: bool) -> None:
    """Draw photos to try labeling with, and write down where their objects are.

    Each shows up to three emblems on a busy background. FOLDER/truth.json has the exact boxes, for
    `groundwork results --truth` and `groundwork simulate`. Example:

    \b
        groundwork samples photos --count 120
    """
    truth = generate(folder, count, seed)
    if as_json:
        document = {"folder": str(folder), "photos": count, "labels": list(SAMPLE_LABELS)}
        print_json({**document, "truth": str(truth)})
    else:
        say(f"{count:,} photos of {', '.join(SAMPLE_LABELS)} in {folder}; the truth in {truth}")


@click.command()
@click.argument("job")
@click.option(
    "--truth",
    type=click.Path(path_type=Path),
    required=True,
    help='Where the objects are: {"photo.jpg": [{"label", "left", "top", "width", "height"}]}.',
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@json_option
@told_plainly
def simulate(job: str, truth: Path, seed: int, as_json: bool) -> None:
    """Let simulated workers label a JOB on the local cloud to its end.

    They are all who were invited and have not yet signed in themselves. They use the portal as
    people do, and draw the true boxes with a person's errors. Example:

    \b
        groundwork simulate my-job --truth photos/truth.json
    """
    tell = say_aside if as_json else say
    cloud = running_cloud()
    known = Truth.read(truth)
    portal_url = cloud.output("PortalUrl")
    logins = [(each.email, each.temporary_password) for each in invitations(cloud.mails())]
    if portal_url is None or not logins:
        raise SimulationError(
            "Nobody was invited to a portal on the local cloud. Deploy a workshop with workers: "
            "groundwork up -c worker_emails=ann@example.com,ben@example.com"
        )
    # Tells of a job that does not exist in words.
    ServiceClient(cloud.client("sagemaker")).call("describe_labeling_job", LabelingJobName=job)
    state = job_state(cloud, job)
    crowd = Crowd(
        cloud,
        portal_url,
        logins,
        lambda worker: Drawer(known, seed=seed, worker=worker),
        only_job=state.name,
        may_be_absent=True,
    )
    told: Mapping[str, int] = {}
    try:
        with crowd:
            for email in crowd.absent:
                tell(f"{email} signs in with a password of their own, and is left out")
            tell(f"{len(logins) - len(crowd.absent)} workers draw: {HABITS} (seed {seed})")
            while not state.is_over:
                crowd.check()
                time.sleep(_POLL_SECONDS)
                state = job_state(cloud, job)
                if state.counters != told:
                    told = state.counters
                    tell(f"  {_progress(state)}")
    except WorkerSignInError as error:
        raise SimulationError(
            "Nobody of the invited gets in with the password of the invitation; invite somebody "
            f"else: groundwork workers invite cho@example.com ({error})"
        ) from error
    if as_json:
        print_json(
            {
                "job": state.name,
                "status": state.status,
                "counters": dict(state.counters),
                "output": state.output_folder,
            }
        )
    if state.status != "Completed":
        raise SimulationError(f"The job {state.name} is {state.status}: {state.failure_reason}")


def _progress(state: JobState) -> str:
    counted = ", ".join(f"{name} {number}" for name, number in state.counters.items())
    return f"{state.name}: {state.status}; {counted}"
