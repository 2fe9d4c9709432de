"""Which cloud the commands mean: the user's own account, or the local cloud."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from groundwork.contract.labeling_client import account_labeling_client
from groundwork.errors import UserError
from groundwork.local.cloud import LocalCloud, project_root
from groundwork.s3_client import S3Client
from groundwork.service_client import ServiceClient

NOT_RUNNING = "The local cloud is not running. Start it and deploy a workshop: groundwork up"

local_option = click.option(
    "--local", "on_local_cloud", is_flag=True, help="s3:// means the local cloud's S3."
)


@dataclass(frozen=True)
class Engine:
    """A labeling API, and the services that belong to it."""

    labeling: ServiceClient
    files: S3Client
    client: Callable[[str], ServiceClient]


class NoLocalCloudError(UserError):
    """What was asked for is on the local cloud, which does not run."""


def chosen_s3(on_local_cloud: bool) -> S3Client | None:
    """Return the local cloud's S3 if it was asked for; None is the user's own account's."""
    return S3Client(running_cloud().client("s3")) if on_local_cloud else None


def engine_options(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command be told whose labeling API is meant: ``aws``, ``endpoint``, ``region``."""
    options: list[Callable[[Any], Any]] = [
        click.option("--aws", is_flag=True, help="Ask the AWS account, not the local cloud."),
        click.option(
            "--endpoint",
            metavar="URL",
            help="The open engine's LabelingApiUrl, for engine=open in an AWS account.",
        ),
        click.option("--region", help="The AWS region; by default the profile's."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def chosen_engine(aws: bool, endpoint: str | None, region: str | None) -> Engine:
    """Return what ``engine_options`` chose; NoLocalCloudError if that is not there."""
    if aws or endpoint:
        client = account_labeling_client(endpoint, region)
        return Engine(
            ServiceClient(client),
            S3Client.from_environment(),
            lambda name: ServiceClient.from_environment(name, region),
        )
    if region:
        raise click.UsageError("--region belongs to --aws or --endpoint.")
    cloud = running_cloud()
    return Engine(
        ServiceClient(cloud.client("sagemaker")),
        S3Client(cloud.client("s3")),
        lambda name: ServiceClient(cloud.client(name)),
    )


def running_cloud() -> LocalCloud:
    """Return the local cloud that runs.

    Raises
    ------
    NoLocalCloudError
        If there is none.
    """
    cloud = LocalCloud(project_root())
    if not cloud.attach():
        raise NoLocalCloudError(NOT_RUNNING)
    return cloud
