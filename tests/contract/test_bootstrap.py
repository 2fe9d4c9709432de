"""The local cloud's bootstrap, where something is in its way."""

from pathlib import Path

import pytest

from groundwork.local.cloud import DeployError, LocalCloud
from groundwork.local.emulator import ACCOUNT, REGION, free_port
from tests.support.local_workshop import PROJECT

FIRST_PORT = 4755


def test_a_bootstrap_that_fails_names_the_resource_and_what_to_do(tmp_path: Path) -> None:
    cloud = LocalCloud(PROJECT, tmp_path, free_port(FIRST_PORT))
    cloud.start()
    try:
        taken = f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"
        cloud.client("s3").create_bucket(Bucket=taken)
        with pytest.raises(DeployError, match=r"(?s)CDKToolkit: StagingBucket: .*groundwork down"):
            cloud.bootstrap()
    finally:
        cloud.discard()
