"""The deployment's checks of the data, before the deployment."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from groundwork.cli.places import chosen_s3, local_option
from groundwork.cli.terminal import json_option, print_json, say, told_plainly
from groundwork.contract.builtin_tasks import BUILTIN_TASKS
from groundwork.errors import UserError
from groundwork.preflight.data import DataFindings, DataSettings, check_place
from groundwork.preflight.findings import Finding
from groundwork.s3_client import S3Client

_TASKS = {"bounding-box": "BoundingBox", "image-classification": "ImageMultiClass", "custom": None}
_DEFAULT_REGION = "us-east-1"


class PreflightFailedError(UserError):
    """The data cannot be labeled as it is."""


@click.command()
@click.argument("place")
@click.option("--task-type", type=click.Choice(list(_TASKS)), default="bounding-box")
@click.option(
    "--engine",
    type=click.Choice(["open", "ground-truth"]),
    default="ground-truth",
    show_default=True,
)
@click.option("--labels", help="The class names, separated by commas.")
@click.option(
    "--template",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="An own worker template.",
)
@click.option("--label-attribute", default="label", show_default=True, metavar="NAME")
@click.option("--batch-size", type=click.IntRange(1, 5000), default=1000, show_default=True)
@click.option("--auto-labeling", is_flag=True, help="The job will ask for automated labeling.")
@click.option("--region", help="Where the job will run; by default the profile's region.")
@local_option
@json_option
@told_plainly
def preflight(
    *,
    place: str,
    task_type: str,
    engine: str,
    labels: str | None,
    template: Path | None,
    label_attribute: str,
    batch_size: int,
    auto_labeling: bool,
    region: str | None,
    on_local_cloud: bool,
    as_json: bool,
) -> None:
    """Check images or a manifest as the deployment will, before it.

    PLACE is a folder of images, a manifest, or s3:// with either. Of a folder on this machine every
    image is opened, of S3 a sample of 200. Ends with 1 if a job on it would fail. Example:

    \b
        groundwork preflight photos --labels cat,dog
        groundwork preflight s3://my-bucket/photos/ --region eu-west-1 --auto-labeling
    """
    task_key = _TASKS[task_type]
    client = chosen_s3(on_local_cloud)
    if client is None and place.lower().startswith("s3://"):
        client = S3Client.from_environment()
    settings = DataSettings(
        engine=engine,
        region=region or (client.region if client else None) or _DEFAULT_REGION,
        task=None if task_key is None else BUILTIN_TASKS[task_key],
        label_attribute=label_attribute,
        labels=None if labels is None else [part.strip() for part in labels.split(",")],
        template=None if template is None else _template_text(template),
        batch_size=batch_size,
        is_automated=auto_labeling,
    )
    found = check_place(place, settings, client)
    if as_json:
        print_json(
            {
                "objects": found.objects,
                "looked_at": found.looked_at,
                "problems": [asdict(each) for each in found.findings.problems],
                "warnings": [asdict(each) for each in found.findings.warnings],
            }
        )
    else:
        _show(found)
    if found.findings.problems:
        count = len(found.findings.problems)
        raise PreflightFailedError(
            f"{count} problem{'s' if count > 1 else ''}: a labeling job would fail."
        )


def _template_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise PreflightFailedError(
            f"{path} is not UTF-8 at byte {error.start}; save the template as UTF-8."
        ) from error


def _show(found: DataFindings) -> None:
    say(f"{found.objects:,} objects, {found.looked_at:,} of them looked at")
    _list("PROBLEM", found.findings.problems)
    _list("NOTE", found.findings.warnings)
    if not found.findings.problems:
        say("Nothing stands in the way of a job. Its role and team are checked by the deployment.")


def _list(word: str, findings: Sequence[Finding]) -> None:
    for finding in findings:
        say(f"{word}: {finding}")
