"""The command line: one module for each group of commands, thin over the library."""

import click

from groundwork.cli.labels import export, import_
from groundwork.cli.local import demo, down, up
from groundwork.cli.results import results
from groundwork.cli.status import status


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="groundwork")
def main() -> None:
    """Groundwork: data labeling workshops, on AWS or on this machine.

    Commands end with 0; with 1 after a problem of the data or of a service; with 2 when they were
    not understood.
    """


for _command in (up, down, status, results, export, import_, demo):
    main.add_command(_command)
