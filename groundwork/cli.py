"""The command line: the local cloud and the demo."""

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from groundwork.demo import run as demo_run
from groundwork.demo.inputs import DemoInputError
from groundwork.local.cloud import LocalCloud, project_root
from groundwork.local.emulator import DEFAULT_PORT, LocalCloudError
from groundwork.local.invitations import invitations
from groundwork.local.workshop import (
    ENGINES,
    OPEN,
    LocalWorkshop,
    destroy,
    job_states,
    project_stacks,
)

LOCAL_WORKER = "worker@example.com"

_USERS_MISTAKES = (DemoInputError, LocalCloudError, demo_run.DemoError)
# Wide enough for a URL on one line where nobody looks at a screen.
_PIPE_WIDTH = 160
_out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _PIPE_WIDTH)


def _say(line: str) -> None:
    _out.print(line, markup=False)


def _told_plainly(command: Callable[..., None]) -> Callable[..., None]:
    """End with one message and exit code 1 where a traceback would help nobody."""

    @wraps(command)
    def told(*arguments: Any, **options: Any) -> None:
        try:
            command(*arguments, **options)
        except _USERS_MISTAKES as error:
            raise click.ClickException(str(error)) from error

    return told


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="groundwork")
def main() -> None:
    """Groundwork: data labeling workshops, on AWS or on this machine."""


@main.command()
@click.option("--engine", type=click.Choice(ENGINES), default=OPEN, show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=DEFAULT_PORT, show_default=True)
@click.option(
    "-c",
    "--context",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="A setting of the workshop, as with `cdk deploy -c`; may be given several times.",
)
@_told_plainly
def up(engine: str, port: int, settings: tuple[str, ...]) -> None:
    """Start the local cloud and deploy a workshop to it.

    Runs again at once: what is there is kept, what changed is deployed. Example:

    \b
        groundwork up -c images=photos -c labels=cup,jug -c worker_emails=me@example.com
    """
    context = _context(settings)
    if not {"worker_emails", "config", "work_team_arn"} & context.keys():
        context["worker_emails"] = LOCAL_WORKER
    cloud = LocalCloud(project_root(), port=port, report=_say)
    _say(f"Starting the local cloud on port {port}")
    cloud.start()
    _say(f"Deploying with the CDK CLI, engine={engine}")
    LocalWorkshop(cloud, engine, context).deploy()
    _show_state(cloud)


@main.command()
@click.option("--keep-data", is_flag=True, help="Stop only: the next `up` goes on where this was.")
@click.option("--force", is_flag=True, help="Stop and forget everything without destroying first.")
@_told_plainly
def down(keep_data: bool, force: bool) -> None:
    """Destroy what is deployed and stop the local cloud. Example:

    \b
        groundwork down
    """
    cloud = LocalCloud(project_root(), report=_say)
    if keep_data and force:
        raise click.UsageError("--keep-data and --force exclude each other.")
    running = cloud.attach()
    if running:
        if not keep_data and not force:
            _say("Destroying the stacks with the CDK CLI")
            destroy(cloud)
        _say("Stopping the local cloud")
    else:
        _say("The local cloud is not running.")
    if keep_data:
        cloud.stop()
    else:
        cloud.discard()


@main.command()
@_told_plainly
def status() -> None:
    """Show the stacks, the labeling jobs, the portal and the invited workers. Example:

    \b
        groundwork status
    """
    cloud = LocalCloud(project_root(), report=_say)
    if cloud.attach():
        _show_state(cloud)
    else:
        _say("The local cloud is not running. Start it and deploy a workshop: groundwork up")


@main.command()
@click.option("--engine", type=click.Choice(ENGINES), default=OPEN, show_default=True)
@click.option(
    "--images",
    type=click.Path(path_type=Path),
    help="A folder of your own photos, instead of generated samples.",
)
@click.option("--labels", help="Label names for your photos, separated by commas.")
@click.option(
    "--truth",
    type=click.Path(path_type=Path),
    help='Where the objects are: {"photo.jpg": [{"label", "left", "top", "width", "height"}]}; '
    "by default truth.json in the folder.",
)
@click.option(
    "--count",
    type=click.IntRange(1, 10_000),
    help=f"How many samples; by default {demo_run.AUTOMATED_COUNT}, or {demo_run.PEOPLES_COUNT} "
    "with --people-only.",
)
@click.option("--people-only", is_flag=True, help="Without automated labeling, in about a minute.")
@click.option(
    "--target",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="The mean IoU that automated labels have to reach; by default the engine's, 0.6.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), help="By default the first free one.")
@_told_plainly
def demo(images: Path | None, labels: str | None, truth: Path | None, **options: Any) -> None:
    """Run everything once: deploy, label with simulated workers, fetch the results, destroy.

    It has a local cloud of its own and leaves nothing running. Example:

    \b
        groundwork demo --engine ground-truth --images photos --labels cup,jug
    """
    if images is None and (labels or truth):
        raise click.UsageError("--labels and --truth belong to --images, your own photos.")
    if options["target"] is not None and options["people_only"]:
        raise click.UsageError("--target is for automated labels, which --people-only leaves out.")
    if options["target"] is not None and options["engine"] != OPEN:
        raise click.UsageError("--target belongs to --engine open: Ground Truth's is fixed.")
    settings = demo_run.DemoSettings(
        images=images,
        labels=tuple(part.strip() for part in labels.split(",")) if labels else (),
        truth=truth,
        **options,
    )
    project = project_root()
    summary = demo_run.run(settings, project, _say)
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in demo_run.table_rows(summary):
        table.add_row(name, str(value))
    _out.print(table)
    _say(f"Written: {project / 'build' / 'demo' / 'summary.json'}")


def _context(settings: tuple[str, ...]) -> dict[str, str]:
    broken = [setting for setting in settings if "=" not in setting]
    if broken:
        raise click.BadParameter(
            f"{', '.join(broken)}: settings read key=value", param_hint="--context"
        )
    context = dict(setting.split("=", 1) for setting in settings)
    if "engine" in context:
        raise click.BadParameter("choose the engine with --engine", param_hint="--context")
    return context


def _show_state(cloud: LocalCloud) -> None:
    stacks = project_stacks(cloud)
    rows = [("local cloud", f"{cloud.emulator.endpoint} (log: {cloud.emulator.log_path})")]
    rows += [("stack", f"{stack.name}: {stack.status}") for stack in stacks]
    if not stacks:
        rows.append(("stack", "nothing is deployed; deploy a workshop: groundwork up"))
    for job in job_states(cloud):
        counted = ", ".join(f"{name} {number}" for name, number in job.counters.items())
        failed = f"; {job.failure_reason}" if job.failure_reason else ""
        rows.append(("job", f"{job.name}: {job.status}; {counted}{failed}"))
    portal_url = cloud.output("PortalUrl")
    if portal_url:
        rows.append(("portal", portal_url))
        rows += [
            ("invited", f"{each.email}, first password {each.temporary_password}")
            for each in invitations(cloud.mails())
        ]
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in rows:
        table.add_row(name, value)
    _out.print(table)
