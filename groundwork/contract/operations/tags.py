"""Tags of labeling jobs and work teams."""

from typing import Any

from groundwork.contract.arns import Arn, TeamKind
from groundwork.contract.engine import Engine
from groundwork.contract.errors import ResourceNotFoundError, ValidationError, validation_error
from groundwork.contract.paging import page
from groundwork.contract.registry import WorkteamNotFoundError
from groundwork.jobs.errors import JobNotFoundError

MAXIMUM_TAGS = 50
_LIST_PAGE_SIZE = 50


def add(engine: Engine, request: dict[str, Any]) -> dict[str, Any]:
    """Set tags of a resource."""
    arn = _existing(engine, request["ResourceArn"])
    new = requested_tags(request)
    merged = {**engine.registry.tags(arn), **new}
    if len(merged) > MAXIMUM_TAGS:
        raise ValidationError(
            f"{arn} would have {len(merged)} tags; a resource may have {MAXIMUM_TAGS} at most"
        )
    engine.registry.add_tags(arn, new)
    return {"Tags": _listed(merged)}


def list_all(engine: Engine, request: dict[str, Any]) -> dict[str, Any]:
    """List a resource's tags."""
    tags = engine.registry.tags(_existing(engine, request["ResourceArn"]))
    shown, token = page(
        _listed(tags), lambda tag: ("", tag["Key"]), request, default_size=_LIST_PAGE_SIZE
    )
    return {"Tags": shown, **token}


def delete(engine: Engine, request: dict[str, Any]) -> dict[str, Any]:
    """Remove tags of a resource."""
    engine.registry.remove_tags(_existing(engine, request["ResourceArn"]), request["TagKeys"])
    return {}


def requested_tags(request: dict[str, Any]) -> dict[str, str]:
    """Return a request's tags by key; ValidationError for keys that are reserved or repeated."""
    if problems := tag_problems(request):
        raise validation_error(problems)
    return {tag["Key"]: tag["Value"] for tag in request.get("Tags", [])}


def tag_problems(request: dict[str, Any]) -> list[str]:
    """Return everything that is wrong with the keys of a request's tags."""
    keys = [tag["Key"] for tag in request.get("Tags", [])]
    problems = [
        f"tag key {key!r} begins with aws:, which is reserved"
        for key in keys
        if key.lower().startswith("aws:")
    ]
    problems += [
        f"tag key {key!r} is given {keys.count(key)} times"
        for key in dict.fromkeys(keys)
        if keys.count(key) > 1
    ]
    return problems


def _listed(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": tags[key]} for key in sorted(tags)]


def _existing(engine: Engine, arn: str) -> str:
    """Return the ARN under which an existing resource's tags are kept."""
    parsed = Arn.parse(arn)
    try:
        if (parsed.region, parsed.account) == (engine.region, engine.account):
            if parsed.resource_type == "labeling-job":
                return engine.jobs.get(parsed.resource_name).arn
            if parsed.team_kind == TeamKind.PRIVATE:
                return engine.registry.workteam(parsed.resource_name).arn
    except (JobNotFoundError, WorkteamNotFoundError) as error:
        raise ResourceNotFoundError(f"Could not find resource {arn}") from error
    if parsed.resource_type not in ("labeling-job", "workteam"):
        # So Ground Truth, for workforces: https://github.com/hashicorp/terraform-provider-aws/pull/20065
        raise ValidationError(
            f"Invalid resource type {parsed.resource_type} in {arn}; labeling-job and workteam "
            "have tags"
        )
    raise ResourceNotFoundError(
        f"Could not find resource {arn} in account {engine.account} and {engine.region}"
    )
