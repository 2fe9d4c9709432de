"""A local cloud for each flavour, thrown away at the end."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from groundwork.local.cloud import LocalCloud
from groundwork.local.emulator import RIGHTS_RECORD, free_port
from tests.support.fault_rows import pytest_runtest_makereport, survived
from tests.support.local_workshop import PROJECT

__all__ = ["cloud", "pytest_runtest_makereport", "survived"]

FIRST_PORT = 4755


@pytest.fixture(scope="session")
def rights_record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the roles of every module's cloud may do, and did; test_rights_used.py judges it."""
    return Path(os.environ.get(RIGHTS_RECORD) or tmp_path_factory.mktemp("rights") / "record")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory, rights_record: Path) -> Iterator[LocalCloud]:
    """An empty local cloud that enforces IAM policies: what a function may not do fails here."""
    folder = tmp_path_factory.mktemp("cloud")
    cloud = LocalCloud(
        PROJECT,
        folder,
        free_port(FIRST_PORT),
        enforce_iam=True,
        rights_record=rights_record,
        report=print,
    )
    cloud.start()
    try:
        yield cloud
    finally:
        cloud.discard()
