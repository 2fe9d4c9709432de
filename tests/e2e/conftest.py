"""A local cloud for each flavour, thrown away at the end."""

from collections.abc import Iterator

import pytest

from groundwork.local.cloud import LocalCloud
from groundwork.local.emulator import free_port
from tests.support.fault_rows import pytest_runtest_makereport, survived
from tests.support.local_workshop import PROJECT

__all__ = ["cloud", "pytest_runtest_makereport", "survived"]

FIRST_PORT = 4755


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """An empty local cloud that enforces IAM policies: what a function may not do fails here."""
    folder = tmp_path_factory.mktemp("cloud")
    cloud = LocalCloud(PROJECT, folder, free_port(FIRST_PORT), enforce_iam=True, report=print)
    cloud.start()
    try:
        yield cloud
    finally:
        cloud.discard()
