"""What a function's code can come to call, read from its source: by names, without running it.

From the handler's entry points on, a function counts as called when its name occurs in the body of
one that is called. That takes in a little too much, never too little: the code calls nothing by a
name that is put together.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.support.imports import imported_modules, module_file
from tests.support.synthesis import PROJECT

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
# These take the name of an operation of a boto3 client as text.
_BY_NAME = ("call", "_call", "_call_unless_gone", "get_paginator", "pages")


def calls(handler: Path, entries: tuple[str, ...]) -> dict[str, set[str]]:
    """Return what a handler can come to call in adapters, and the modules that call it.

    Parameters
    ----------
    entries
        The handler's functions that Lambda calls.
    """
    found: dict[str, set[str]] = {}
    for file, body in _reached(handler, entries):
        for name in _called(file, body):
            found.setdefault(name, set()).add(file.stem)
    return found


def _reached(handler: Path, entries: tuple[str, ...]) -> Iterator[tuple[Path, ast.AST]]:
    files = [handler, *_closure(handler)]
    functions: dict[str, list[tuple[Path, ast.AST]]] = {}
    waiting: list[tuple[Path, ast.AST]] = []
    for file in files:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, _FUNCTIONS):
                functions.setdefault(node.name, []).append((file, node))
        waiting += [(file, node) for node in _outside_functions(tree)]
    for name in list(functions):
        special = name.startswith("__") and name.endswith("__")
        if special or name in entries:
            waiting += functions.pop(name)
    while waiting:
        file, node = waiting.pop()
        yield file, node
        for each in ast.walk(node):
            if isinstance(each, (ast.Attribute, ast.Name)):
                used = each.attr if isinstance(each, ast.Attribute) else each.id
                waiting += functions.pop(used, [])


def _outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what runs when a module is imported."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield from _outside_functions(child)
        elif not isinstance(child, _FUNCTIONS):
            yield child


def _closure(handler: Path) -> set[Path]:
    waiting, seen = [handler], set()
    while waiting:
        for module in imported_modules(waiting.pop()):
            file = module_file(PROJECT, module)
            if file is not None and file not in seen:
                seen.add(file)
                waiting.append(file)
    return seen


def _called(file: Path, body: ast.AST) -> Iterator[str]:
    """Yield what may be names of boto3's methods, which only adapters call as methods."""
    is_adapter = file.stem.endswith(("_client", "_store"))
    for node in ast.walk(body):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        if is_adapter:
            yield name
        if name in _BY_NAME:
            yield from (
                each.value
                for each in node.args
                if isinstance(each, ast.Constant) and isinstance(each.value, str)
            )
