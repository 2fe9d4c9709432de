"""What the tests of the labeling API share."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from groundwork.contract.service_model import output_problems
from tests.support.labeling_service import (
    BUCKET,
    LabelingService,
    create_state_machine,
    create_table,
    labeling_service,
)


@pytest.fixture(scope="session")
def running_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabelingService]:
    folder: Path = tmp_path_factory.mktemp("labeling-service")
    with labeling_service(folder) as service:
        create_table(service)
        create_state_machine(service)
        service.emulator("s3").create_bucket(Bucket=BUCKET)
        yield service


@pytest.fixture
def service(running_service: LabelingService) -> LabelingService:
    """The labeling API of an account in which nothing has been done yet."""
    table = running_service.table()
    with table.batch_writer() as batch:
        for item in table.scan()["Items"]:
            batch.delete_item(Key={"PK": item["PK"], "SK": item["SK"]})
    return running_service


@pytest.fixture
def labeling(service: LabelingService) -> Any:
    """An unmodified client, every answer of which must fit the SDK's own service model."""
    client = service.labeling()

    def check(parsed: dict[str, Any], model: Any, **_: Any) -> None:
        if "Error" not in parsed:
            body = {key: value for key, value in parsed.items() if key != "ResponseMetadata"}
            assert output_problems(model.name, body) == []

    client.meta.events.register("after-call.sagemaker", check)
    return client
