"""How labeling jobs stand."""

import click

from groundwork.cli.local import cloud_state, show_cloud
from groundwork.cli.terminal import json_option, print_json, say, told_plainly
from groundwork.local.cloud import LocalCloud, project_root


@click.command()
@json_option
@told_plainly
def status(as_json: bool) -> None:
    """Show the stacks, the labeling jobs, the portal and the invited workers. Example:

    \b
        groundwork status
    """
    cloud = LocalCloud(project_root(), report=say)
    running = cloud.attach()
    if as_json:
        print_json(cloud_state(cloud) if running else {"running": False})
    elif running:
        show_cloud(cloud)
    else:
        say("The local cloud is not running. Start it and deploy a workshop: groundwork up")
