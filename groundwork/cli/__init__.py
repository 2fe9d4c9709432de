"""The command line: one module for each group of commands, thin over the library."""

from collections.abc import Iterator, MutableMapping
from importlib import import_module

import click

# Where each command is. Only the module of the command that runs is loaded, since some need the
# whole local cloud, and processes that count manifests begin by loading this module again.
_MODULES = {
    "up": "local:up",
    "down": "local:down",
    "status": "status:status",
    "results": "results:results",
    "report": "report:report",
    "explain": "explain:explain",
    "workers": "workers:workers",
    "preflight": "preflight:preflight",
    "audit": "audit:audit",
    "cost": "cost:cost",
    "export": "labels:export",
    "import": "labels:import_",
    "demo": "local:demo",
}


class _Commands(MutableMapping[str, click.Command]):
    """The commands by name, each loaded when it is asked for."""

    def __init__(self) -> None:
        self._loaded: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._loaded:
            module, _, function = _MODULES[name].partition(":")
            self._loaded[name] = getattr(import_module(f"groundwork.cli.{module}"), function)
        return self._loaded[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        raise TypeError(f"commands are named in {__name__}: {name}, {command}")

    def __delitem__(self, name: str) -> None:
        raise TypeError(f"commands are named in {__name__}: {name}")

    def __iter__(self) -> Iterator[str]:
        return iter(_MODULES)

    def __len__(self) -> int:
        return len(_MODULES)


@click.group(commands=_Commands(), context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="groundwork")
def main() -> None:
    """Groundwork: data labeling workshops, on AWS or on this machine.

    Commands end with 0; with 1 after a problem of the data or of a service; with 2 when they were
    not understood.
    """
