"""Work teams: groups of the workforce's user pool."""

from collections.abc import Iterator
from typing import Any

from groundwork.contract.arns import workforce_arn, workteam_arn
from groundwork.contract.engine import Engine
from groundwork.contract.errors import (
    ResourceInUseError,
    ResourceLimitExceededError,
    ValidationError,
    validation_error,
)
from groundwork.contract.operations.tags import requested_tags
from groundwork.contract.operations.workforces import missing_workforce
from groundwork.contract.paging import page, time_key
from groundwork.contract.registry import (
    DEFAULT_WORKFORCE_NAME,
    MAXIMUM_WORKTEAMS,
    Workforce,
    WorkforceExistsError,
    WorkforceNotFoundError,
    Workteam,
    WorkteamExistsError,
    WorkteamLimitError,
    WorkteamNotFoundError,
)


def create(engine: Engine, request: dict[str, Any]) -> dict[str, Any]:
    """Create a work team, and with the account's first one the workforce if there is none."""
    members = request["MemberDefinitions"]
    tags = requested_tags(request)
    problems = [*_member_problems(members), *_unsupported(request)]
    workforce = _workforce_of(engine, request.get("WorkforceName"))
    if workforce:
        problems += _foreign_member_problems(members, workforce)
    if problems:
        raise validation_error(problems)
    workforce = workforce or _implicit_workforce(engine, members)
    now = engine.clock()
    team = Workteam(
        name=request["WorkteamName"],
        arn=workteam_arn(engine.region, engine.account, request["WorkteamName"]),
        description=request["Description"],
        groups=_groups(members),
        workforce_name=workforce.name,
        created_at=now,
        updated_at=now,
        notification_topic_arn=_topic(request),
    )
    try:
        engine.registry.create_workteam(team, tags)
    except WorkteamExistsError as error:
        raise ResourceInUseError(f"The work team {team.arn} already exists") from error
    except WorkteamLimitError as error:
        raise ResourceLimitExceededError(
            f"Account {engine.account} has {MAXIMUM_WORKTEAMS} work teams in {engine.region}, "
            "which is the limit; delete one first"
        ) from error
    except WorkforceNotFoundError as error:
        raise missing_workforce(engine, team.workforce_name) from error
    return {"WorkteamArn": team.arn}


def describe(engine: Engine, request: dict[str, Any]) -> dict[str, Any]:
    """Describe a work team."""
    team = find(engine, request["WorkteamName"])
    return {"Workteam": _described(engine, team, engine.registry.workforce(team.workforce_name))}


def list_all(engine: Engine, request: dict[str, Any]) -> dict[str, Any]:
    """List the work teams."""
    wanted = request.get("NameContains", "").lower()
    found = [team for team in engine.registry.workteams() if wanted in team.name.lower()]
    by_name = request.get("SortBy", "CreateDate") == "Name"

    def key(team: Workteam) -> tuple[str, str]:
        return ("" if by_name else time_key(team.created_at), team.name.lower())

    shown, token = page(found, key, request)
    workforces = {workforce.name: workforce for workforce in engine.registry.workforces()}
    described = [_described(engine, team, workforces[team.workforce_name]) for team in shown]
    return {"Workteams": described, **token}


def list_subscribed(_engine: Engine, _request: dict[str, Any]) -> dict[str, Any]:
    """List vendors' teams, of which the open engine has none."""
    return {"SubscribedWorkteams": []}


def update(engine: Engine, request: dict[str, Any]) -> dict[str, Any]:
    """Update a work team; a list of members replaces the one before."""
    team = find(engine, request["WorkteamName"])
    workforce = engine.registry.workforce(team.workforce_name)
    problems = _unsupported(request)
    changes: dict[str, Any] = {}
    if "MemberDefinitions" in request:
        members = request["MemberDefinitions"]
        problems += _member_problems(members)
        problems += _foreign_member_problems(members, workforce)
        changes["groups"] = _groups(members)
    if problems:
        raise validation_error(problems)
    if "Description" in request:
        changes["description"] = request["Description"]
    if "NotificationConfiguration" in request:
        changes["notification_topic_arn"] = _topic(request)
    changed = engine.registry.update_workteam(team.name, engine.clock(), changes)
    return {"Workteam": _described(engine, changed, workforce)}


def delete(engine: Engine, request: dict[str, Any]) -> dict[str, Any]:
    """Delete a work team that no labeling job needs any more."""
    team = find(engine, request["WorkteamName"])
    # What Ground Truth does here is not documented. Without its team, a job would wait for nobody.
    names = ", ".join(
        sorted(
            job.name
            for job in engine.jobs.list()
            if job.workteam_arn == team.arn and not job.status.is_final
        )
    )
    if names:
        raise ResourceInUseError(
            f"The work team {team.arn} has labeling jobs that have not ended: {names}. Stop "
            "them first."
        )
    try:
        engine.registry.delete_workteam(team.name)
    except WorkteamNotFoundError as error:
        raise missing_workteam(engine, team.name) from error
    return {"Success": True}


def find(engine: Engine, name: str) -> Workteam:
    """Return a work team by its name; ValidationError, as the service has it, if there is none."""
    try:
        return engine.registry.workteam(name)
    except WorkteamNotFoundError as error:
        raise missing_workteam(engine, name) from error


def missing_workteam(engine: Engine, name: str) -> ValidationError:
    """Return the error for a work team that does not exist, which is no ResourceNotFound."""
    arn = workteam_arn(engine.region, engine.account, name)
    return ValidationError(f"The work team {arn} does not exist")


def _workforce_of(engine: Engine, name: str | None) -> Workforce | None:
    if name is None:
        return next(iter(engine.registry.workforces()), None)
    try:
        return engine.registry.workforce(name)
    except WorkforceNotFoundError as error:
        raise missing_workforce(engine, name) from error


def _implicit_workforce(engine: Engine, members: list[dict[str, Any]]) -> Workforce:
    # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Workforce.html
    now = engine.clock()
    cognito = members[0]["CognitoMemberDefinition"]
    workforce = Workforce(
        name=DEFAULT_WORKFORCE_NAME,
        arn=workforce_arn(engine.region, engine.account, DEFAULT_WORKFORCE_NAME),
        user_pool=cognito["UserPool"],
        client_id=cognito["ClientId"],
        created_at=now,
        updated_at=now,
    )
    try:
        engine.registry.create_workforce(workforce, {})
    except WorkforceExistsError:
        existing = engine.registry.workforces()[0]
        if problems := list(_foreign_member_problems(members, existing)):
            raise validation_error(problems) from None
        return existing
    return workforce


def _member_problems(members: list[dict[str, Any]]) -> Iterator[str]:
    for number, member in enumerate(members, 1):
        if "OidcMemberDefinition" in member:
            yield (
                f"MemberDefinitions {number}: OidcMemberDefinition is given, but the workforce's "
                "workers sign in with Cognito; give CognitoMemberDefinition"
            )
        elif "CognitoMemberDefinition" not in member:
            yield f"MemberDefinitions {number} is empty; give CognitoMemberDefinition"
    cognito = [entry["CognitoMemberDefinition"] for entry in members if _is_cognito(entry)]
    pools = {(entry["UserPool"], entry["ClientId"]) for entry in cognito}
    if len(pools) > 1:
        yield f"MemberDefinitions name {len(pools)} user pools and clients; all must be the same"


def _foreign_member_problems(members: list[dict[str, Any]], workforce: Workforce) -> Iterator[str]:
    for number, member in enumerate(members, 1):
        if not _is_cognito(member):
            continue
        cognito = member["CognitoMemberDefinition"]
        for what, found, expected in (
            ("UserPool", cognito["UserPool"], workforce.user_pool),
            ("ClientId", cognito["ClientId"], workforce.client_id),
        ):
            if found != expected:
                yield (
                    f"MemberDefinitions {number}: {what} {found} is not that of workforce "
                    f"{workforce.name!r}, {expected}"
                )


def _is_cognito(member: dict[str, Any]) -> bool:
    return "CognitoMemberDefinition" in member


def _unsupported(request: dict[str, Any]) -> list[str]:
    """Refuse what would be kept but not enforced."""
    presign = request.get("WorkerAccessConfiguration", {}).get("S3Presign", {})
    enabled = [
        name
        for name, value in presign.get("IamPolicyConstraints", {}).items()
        if value == "Enabled"
    ]
    return [
        f"WorkerAccessConfiguration.S3Presign.IamPolicyConstraints.{name}: the open engine does "
        "not tie the addresses of images to workers' network addresses"
        for name in enabled
    ]


def _groups(members: list[dict[str, Any]]) -> tuple[str, ...]:
    groups = [
        member["CognitoMemberDefinition"]["UserGroup"] for member in members if _is_cognito(member)
    ]
    return tuple(dict.fromkeys(groups))


def _topic(request: dict[str, Any]) -> str | None:
    topic = request.get("NotificationConfiguration", {}).get("NotificationTopicArn")
    return topic or None


def _described(engine: Engine, team: Workteam, workforce: Workforce) -> dict[str, Any]:
    described: dict[str, Any] = {
        "WorkteamName": team.name,
        "WorkteamArn": team.arn,
        "WorkforceArn": workforce.arn,
        "Description": team.description,
        "MemberDefinitions": [
            {
                "CognitoMemberDefinition": {
                    "UserPool": workforce.user_pool,
                    "UserGroup": group,
                    "ClientId": workforce.client_id,
                }
            }
            for group in team.groups
        ],
        "SubDomain": engine.sub_domain,
        "CreateDate": team.created_at,
        "LastUpdatedDate": team.updated_at,
    }
    if team.notification_topic_arn:
        described["NotificationConfiguration"] = {
            "NotificationTopicArn": team.notification_topic_arn
        }
    return described
