"""AWS services through boto3, with refusals in the services' own words."""

from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from groundwork.service import ServiceRefusedError
from groundwork.unavailable import is_passing
from groundwork.user_agent import USER_AGENT

_CONFIG = Config(
    user_agent=USER_AGENT,
    connect_timeout=5,
    read_timeout=60,
    retries={"mode": "standard", "max_attempts": 6},
)


class ServiceClient:
    """A boto3 client behind the interface of ``groundwork.service.Service``."""

    def __init__(self, client: Any) -> None:
        self.client = client

    @classmethod
    def from_environment(cls, service_name: str, region: str | None = None) -> "ServiceClient":
        """Use the function's or the user's own rights, and their region unless another is given."""
        return cls(boto3.client(service_name, region_name=region, config=_CONFIG))

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Run an operation; ServiceRefusedError carries what the service said."""
        try:
            answer: dict[str, Any] = getattr(self.client, operation)(**parameters)
        except ClientError as error:
            said = error.response.get("Error", {})
            raise ServiceRefusedError(
                operation,
                str(said.get("Code", "Unknown")),
                str(said.get("Message", error)),
                is_passing=is_passing(error),
            ) from error
        except BotoCoreError as error:
            raise ServiceRefusedError(
                operation, type(error).__name__, str(error), is_passing=is_passing(error)
            ) from error
        return answer

    def input_members(self, operation: str) -> frozenset[str]:
        """Return which parameters an operation takes."""
        name = self.client.meta.method_to_api_mapping[operation]
        shape = self.client.meta.service_model.operation_model(name).input_shape
        return frozenset(shape.members) if shape else frozenset()
