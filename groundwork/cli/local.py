"""The local cloud and the demo."""

from pathlib import Path
from typing import Any

import click

from groundwork.cli.terminal import (
    json_option,
    print_json,
    print_rows,
    say,
    say_aside,
    told_plainly,
)
from groundwork.demo import run as demo_run
from groundwork.local.cloud import LocalCloud, project_root
from groundwork.local.emulator import DEFAULT_PORT
from groundwork.local.invitations import invitations
from groundwork.local.workshop import (
    ENGINES,
    OPEN,
    JobState,
    LocalWorkshop,
    destroy,
    job_states,
    project_stacks,
)

LOCAL_WORKER = "worker@example.com"


@click.command()
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
@json_option
@told_plainly
def up(engine: str, port: int, settings: tuple[str, ...], as_json: bool) -> None:
    """Start the local cloud and deploy a workshop to it.

    Runs again at once: what is there is kept, what changed is deployed. Example:

    \b
        groundwork up -c images=photos -c labels=cup,jug -c worker_emails=me@example.com
    """
    context = _context(settings)
    if not {"worker_emails", "config", "work_team_arn"} & context.keys():
        context["worker_emails"] = LOCAL_WORKER
    tell = say_aside if as_json else say
    cloud = LocalCloud(project_root(), port=port, report=tell)
    tell(f"Starting the local cloud on port {port}")
    cloud.start()
    tell(f"Deploying with the CDK CLI, engine={engine}")
    LocalWorkshop(cloud, engine, context).deploy()
    if as_json:
        print_json(cloud_state(cloud))
    else:
        show_cloud(cloud)


@click.command()
@click.option("--keep-data", is_flag=True, help="Stop only: the next `up` goes on where this was.")
@click.option("--force", is_flag=True, help="Stop and forget everything without destroying first.")
@json_option
@told_plainly
def down(keep_data: bool, force: bool, as_json: bool) -> None:
    """Destroy what is deployed and stop the local cloud. Example:

    \b
        groundwork down
    """
    tell = say_aside if as_json else say
    cloud = LocalCloud(project_root(), report=tell)
    if keep_data and force:
        raise click.UsageError("--keep-data and --force exclude each other.")
    running = cloud.attach()
    if running:
        if not keep_data and not force:
            tell("Destroying the stacks with the CDK CLI")
            destroy(cloud)
        tell("Stopping the local cloud")
    else:
        tell("The local cloud is not running.")
    if keep_data:
        cloud.stop()
    else:
        cloud.discard()
    if as_json:
        print_json({"was_running": running, "kept_data": keep_data})


@click.command()
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
@json_option
@told_plainly
def demo(
    images: Path | None, labels: str | None, truth: Path | None, as_json: bool, **options: Any
) -> None:
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
    summary = demo_run.run(settings, project, say_aside if as_json else say)
    if as_json:
        click.echo(summary.to_json(), nl=False)
        return
    print_rows([(name, str(value)) for name, value in demo_run.table_rows(summary)])
    say(f"Written: {project / 'build' / 'demo' / 'summary.json'}")


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


def show_cloud(cloud: LocalCloud) -> None:
    """Print what is on the local cloud."""
    stacks = project_stacks(cloud)
    rows = [("local cloud", f"{cloud.emulator.endpoint} (log: {cloud.emulator.log_path})")]
    rows += [("stack", f"{stack.name}: {stack.status}") for stack in stacks]
    if not stacks:
        rows.append(("stack", "nothing is deployed; deploy a workshop: groundwork up"))
    rows += [("job", _job_line(job)) for job in job_states(cloud)]
    portal_url = cloud.output("PortalUrl")
    if portal_url:
        rows.append(("portal", portal_url))
        rows += [
            ("invited", f"{each.email}, first password {each.temporary_password}")
            for each in invitations(cloud.mails())
        ]
    print_rows(rows)


def cloud_state(cloud: LocalCloud) -> dict[str, Any]:
    """Return what is on the local cloud as ``--json`` prints it."""
    portal_url = cloud.output("PortalUrl")
    return {
        "running": True,
        "endpoint": cloud.emulator.endpoint,
        "stacks": [{"name": stack.name, "status": stack.status} for stack in project_stacks(cloud)],
        "jobs": [
            {"name": job.name, "status": job.status, "counters": dict(job.counters)}
            for job in job_states(cloud)
        ],
        "portal": portal_url,
        "invited": [
            {"email": each.email, "first_password": each.temporary_password}
            for each in (invitations(cloud.mails()) if portal_url else [])
        ],
    }


def _job_line(job: JobState) -> str:
    counted = ", ".join(f"{name} {number}" for name, number in job.counters.items())
    failed = f"; {job.failure_reason}" if job.failure_reason else ""
    return f"{job.name}: {job.status}; {counted}{failed}"
