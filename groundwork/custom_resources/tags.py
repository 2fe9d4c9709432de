"""Tags of labeling jobs and work teams, brought in line with the template's."""

from collections.abc import Mapping

from groundwork.custom_resources.failure import failure
from groundwork.service import Service, ServiceRefusedError


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Return tags in the form that the API takes."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def sync_tags(
    labeling: Service, arn: str, *, before: Mapping[str, str], after: Mapping[str, str]
) -> None:
    """Change a resource's tags from one template's to the next one's; others stay as they are."""
    gone = sorted(set(before) - set(after))
    new = {key: value for key, value in after.items() if before.get(key) != value}
    try:
        if new:
            labeling.call("add_tags", ResourceArn=arn, Tags=tag_list(new))
        if gone:
            labeling.call("delete_tags", ResourceArn=arn, TagKeys=gone)
    except ServiceRefusedError as error:
        raise failure(
            f"The tags of {arn} could not be changed.",
            said=error,
            to_do="allow sagemaker:AddTags and sagemaker:DeleteTags to this function's role, or "
            "correct the tags.",
        ) from error
