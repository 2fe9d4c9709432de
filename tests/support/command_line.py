"""Command lines of the documents, understood without being run."""

import click

from groundwork.cli import main


def parse(words: list[str]) -> None:
    """Let ``groundwork`` parse a command, without its first word, and do nothing.

    Raises
    ------
    click.UsageError, KeyError
        If an option, an argument or a command is none.
    """
    command: click.Command = main
    name = "groundwork"
    while isinstance(command, click.Group):
        name, *words = words
        command = command.commands[name]
    command.make_context(name, words)
