"""A condition on `aws:ResourceTag` sees the tags of a user pool.

So it is on AWS. The emulator, when it enforces policies, knows the tags of nine services' resources
in conditions, and these are not among them: whoever has a right on tagged pools is refused.
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncognitouserpools.html
"""

from ministack.services import tagging

from groundwork.local.hooks import EmulatorChangedError


def install() -> None:
    """Add user pools to the resources whose tags are looked up."""
    if "cognito-idp" in tagging._RESOURCE_TAG_COLLECTORS:
        raise EmulatorChangedError("user pools' tags are known in conditions")
    tagging._RESOURCE_TAG_COLLECTORS["cognito-idp"] = tagging._collect_cognito
