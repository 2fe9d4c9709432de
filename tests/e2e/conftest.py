"""A local cloud for each flavour, thrown away at the end."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from groundwork.local.cloud import LocalCloud
from groundwork.local.emulator import free_port
from tests.support.fault_rows import pytest_runtest_makereport, survived
from tests.support.local_workshop import PROJECT

__all__ = ["cloud", "pytest_runtest_makereport", "survived"]

FIRST_PORT = 4755


@pytest.fixture(scope="session")
def rights_records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the roles of each module's cloud may do, and did; test_rights_used.py judges it."""
    return tmp_path_factory.mktemp("rights")


@pytest.fixture(scope="module")
def cloud(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, rights_records: Path
) -> Iterator[LocalCloud]:
    """An empty local cloud that enforces IAM policies: what a function may not do fails here."""
    folder = tmp_path_factory.mktemp("cloud")
    cloud = LocalCloud(
        PROJECT,
        folder,
        free_port(FIRST_PORT),
        enforce_iam=True,
        rights_record=rights_records / request.module.__name__,
        report=print,
    )
    cloud.start()
    try:
        yield cloud
    finally:
        cloud.discard()
