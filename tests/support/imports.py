"""Which modules of the project a file imports."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.support.synthesis import PROJECT


def imported_modules(file: Path) -> Iterator[str]:
    """Yield the project's modules that a file imports, at its top or anywhere in it."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.module
            assert not node.level
            parts = [f"{node.module}.{each.name}" for each in node.names]
            names = [node.module, *(part for part in parts if module_file(PROJECT, part))]
        else:
            continue
        for name in names:
            packages = name.split(".")
            if packages[0] == "groundwork":
                yield from (".".join(packages[:end]) for end in range(1, len(packages) + 1))


def module_file(folder: Path, module: str) -> Path | None:
    """Return the file of a module below a folder, if it is one of the project's."""
    place = folder.joinpath(*module.split("."))
    files = (place / "__init__.py", place.with_name(f"{place.name}.py"))
    return next((file for file in files if file.is_file()), None)
