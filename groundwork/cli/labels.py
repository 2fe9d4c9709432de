"""Labels taken out into other tools' formats, and brought in from them."""

import click


@click.command()
def export() -> None:
    """x"""


@click.command("import")
def import_() -> None:
    """x"""
