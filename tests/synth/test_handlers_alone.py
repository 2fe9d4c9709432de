"""Each function's module is found with what Lambda has, and with nothing else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from stacks.constructs.library import belongs_in_functions, staged_library
from tests.support.imports import imported_modules, module_file
from tests.support.synthesis import PROJECT

# What the runtime brings, and what stacks/layers.py assembles; see tests/synth/test_layers.py.
_RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "urllib3", "dateutil", "six")
_PACKAGES = ("numpy", "PIL", "liquid", "babel", "markupsafe", "pytz", "importlib_resources")
_NETWORK = ("onnxruntime", "threadpoolctl", "google", "flatbuffers", "packaging")
_HANDLERS = sorted(path.parent.name for path in PROJECT.glob("lambdas/*/handler.py"))

# Refuses what is installed here and would not be there.
_IMPORT = """
import importlib, sys

class OnlyInLambda:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        of_python = top in sys.stdlib_module_names or top.startswith("_sysconfigdata")
        if not of_python and top not in ALLOWED:
            raise ModuleNotFoundError(f"{name} is not in the function")

# An editable install finds every module of the project, also those that the layer leaves out.
sys.meta_path = [each for each in sys.meta_path if "__editable__" not in str(each.__module__)]
sys.meta_path.insert(0, OnlyInLambda())
print(importlib.import_module("handler").__file__)
print(importlib.import_module("groundwork").__file__)
"""


@pytest.mark.parametrize("name", _HANDLERS)
def test_a_handler_needs_nothing_that_its_function_has_not(name: str) -> None:
    """The layers leave parts of the library out, and the network is for one function only."""
    library = staged_library() / "python"
    allowed = ["groundwork", "handler", *_RUNTIME, *_PACKAGES]
    allowed += _NETWORK if name == "auto_labeling" else []
    done = subprocess.run(
        [sys.executable, "-c", f"ALLOWED = {allowed!r}\n{_IMPORT}"],
        cwd=library,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join([str(library), str(PROJECT / "lambdas" / name)]),
            "AWS_DEFAULT_REGION": "us-east-1",
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    handler, package = done.stdout.splitlines()
    assert Path(handler).parent.name == name
    assert Path(package).is_relative_to(library)


@pytest.mark.parametrize("name", _HANDLERS)
def test_whatever_a_handler_may_come_to_import_is_in_the_library(name: str) -> None:
    """Also what a function imports when it is called, which no start of a handler shows."""
    library = staged_library() / "python"
    waiting = list((PROJECT / "lambdas" / name).rglob("*.py"))
    seen: set[Path] = set()
    missing = []
    while waiting:
        file = waiting.pop()
        for module in imported_modules(file):
            if (found := module_file(library, module)) is None:
                missing.append(f"{file} imports {module}")
            elif found not in seen:
                seen.add(found)
                waiting.append(found)

    assert missing == []
    assert len(seen) > 10


def test_only_what_lies_at_the_top_is_left_out_of_the_library() -> None:
    assert not belongs_in_functions(Path("demo/run.py"))
    assert not belongs_in_functions(Path("samples.py"))
    assert not belongs_in_functions(Path("jobs/__pycache__/model.pyc"))
    assert belongs_in_functions(Path("jobs/demo/run.py"))
    assert belongs_in_functions(Path("jobs/samples.py"))
