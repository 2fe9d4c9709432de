"""Which S3 the commands mean: the user's own account's, or the local cloud's."""

import click

from groundwork.errors import UserError
from groundwork.local.cloud import LocalCloud, project_root
from groundwork.s3_client import S3Client

NOT_RUNNING = "The local cloud is not running. Start it and deploy a workshop: groundwork up"

local_option = click.option(
    "--local", "on_local_cloud", is_flag=True, help="s3:// means the local cloud's S3."
)


class NoLocalCloudError(UserError):
    """What was asked for is on the local cloud, which does not run."""


def chosen_s3(on_local_cloud: bool) -> S3Client | None:
    """Return the local cloud's S3 if it was asked for; None is the user's own account's."""
    return S3Client(running_cloud().client("s3")) if on_local_cloud else None


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
