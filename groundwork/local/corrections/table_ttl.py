"""Tables let items expire as their template says.

CloudFormation obeys `TimeToLiveSpecification`. The emulator drops it: sessions would never go.
"""

from typing import Any

from ministack.services import dynamodb

from groundwork.local.hooks import after_resource


def install() -> None:
    """Set the table's time to live after it was created or updated."""
    after_resource("AWS::DynamoDB::Table", _set_ttl)


def _set_ttl(table: str, properties: dict[str, Any], attributes: dict[str, Any]) -> None:
    del attributes
    specification = properties.get("TimeToLiveSpecification")
    if specification and specification.get("AttributeName"):
        dynamodb._update_ttl(
            {
                "TableName": table,
                "TimeToLiveSpecification": {
                    "AttributeName": specification["AttributeName"],
                    "Enabled": str(specification.get("Enabled", "")).lower() == "true",
                },
            }
        )
