"""SageMaker's labeling API: what requests may say, and how the open engine answers them."""

from groundwork.contract.portal_address import portal_url

__all__ = ["portal_url"]
