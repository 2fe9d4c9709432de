"""Each variant of the stacks is synthesized once: starting the library takes seconds."""

from collections.abc import Callable
from functools import cache
from types import MappingProxyType

import pytest

from tests.support.synthesis import Assembly, synthesize

VENDOR_TEAM = "arn:aws:sagemaker:eu-west-1:123456789012:workteam/vendor-crowd/best-labels"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
WORKERS = "ana@example.com,minsu@example.com"

VARIANTS = MappingProxyType(
    {
        "ground-truth": {"worker_emails": WORKERS},
        "open": {"engine": "open", "worker_emails": WORKERS, "tags": "team=vision"},
        "adopt": {
            "workforce": "adopt",
            "worker_emails": WORKERS,
            "studio": "true",
            "kms_key_arn": KEY,
        },
        "open-adopt": {
            "engine": "open",
            "workforce": "adopt",
            "worker_emails": WORKERS,
            "studio": "true",
            "name": "Logos",
            "auto_labeling": "true",
            "manifest": "s3://photos/batch-7/input.manifest",
            "labels": "cup,jug",
            "auto_labeling_target": "0.7",
            "auto_labeling_sample_percentage": "5",
            "kms_key_arn": KEY,
        },
        "vendor": {
            "work_team_arn": VENDOR_TEAM,
            "manifest": "s3://photos/batch-7/input.manifest",
            "image_buckets": "more-photos",
            "labels": "cup,jug",
            "task_type": "image-classification",
            "auto_labeling": "true",
            "region": "eu-west-1",
        },
    }
)


@pytest.fixture(scope="session")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Assembly]:
    """Return the assembly of a variant, synthesized when it is first asked for."""

    @cache
    def once(name: str) -> Assembly:
        return synthesize(tmp_path_factory.mktemp(name), VARIANTS[name])

    return once


@pytest.fixture(params=list(VARIANTS))
def each_variant(
    request: pytest.FixtureRequest, synthesized: Callable[[str], Assembly]
) -> Assembly:
    """Run a test on every variant."""
    return synthesized(request.param)


@pytest.fixture(scope="session")
def ground_truth(synthesized: Callable[[str], Assembly]) -> Assembly:
    """The default: one stack on the managed service."""
    return synthesized("ground-truth")


@pytest.fixture(scope="session")
def open_engine(synthesized: Callable[[str], Assembly]) -> Assembly:
    """Two stacks: the open engine and a workshop on it."""
    return synthesized("open")


@pytest.fixture(scope="session")
def adopting(synthesized: Callable[[str], Assembly]) -> Assembly:
    """A workshop in the account's existing workforce, with Studio and a key."""
    return synthesized("adopt")


@pytest.fixture(scope="session")
def open_adopting(synthesized: Callable[[str], Assembly]) -> Assembly:
    """The open engine in the account's existing workforce, with automated labeling."""
    return synthesized("open-adopt")


@pytest.fixture(scope="session")
def vendor(synthesized: Callable[[str], Assembly]) -> Assembly:
    """A vendor's team, a manifest in S3 and automated labeling."""
    return synthesized("vendor")
