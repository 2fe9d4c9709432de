"""A function URL in a template leads to this machine.

On AWS the attribute `FunctionUrl` is an address that answers. The emulator gives AWS's host name
for it, which local clients cannot reach; its own path form does answer.
"""

import os
from typing import Any
from urllib.parse import urlsplit

from groundwork.local.hooks import after_resource


def install() -> None:
    """Give the path form of the address as the resource's attribute."""
    after_resource("AWS::Lambda::Url", _use_local_address)


def _use_local_address(
    physical_id: str, properties: dict[str, Any], attributes: dict[str, Any]
) -> None:
    del physical_id, properties
    url_id = (urlsplit(attributes["FunctionUrl"]).hostname or "").split(".")[0]
    attributes["FunctionUrl"] = (
        f"http://localhost:{os.environ['GATEWAY_PORT']}/_aws/lambda-url/{url_id}/"
    )
