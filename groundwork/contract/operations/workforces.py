"""The account's private workforce."""

from typing import Any

from groundwork.contract.arns import workforce_arn
from groundwork.contract.engine import Engine
from groundwork.contract.errors import ResourceInUseError, ValidationError, validation_error
from groundwork.contract.operations.tags import requested_tags
from groundwork.contract.paging import page, time_key
from groundwork.contract.registry import (
    Workforce,
    WorkforceExistsError,
    WorkforceNotFoundError,
    WorkteamsRemainError,
)


def create(engine: Engine, request: dict[str, Any]) -> dict[str, Any]:
    """Create the workforce from a Cognito user pool."""
    tags = requested_tags(request)
    problems = _unsupported(request)
    if "CognitoConfig" not in request and "OidcConfig" not in request:
        problems.append(
            "CognitoConfig is missing: the user pool and client that workers sign in to"
        )
    if problems:
        raise validation_error(problems)
    now = engine.clock()
    workforce = Workforce(
        name=request["WorkforceName"],
        arn=workforce_arn(engine.region, engine.account, request["WorkforceName"]),
        user_pool=request["CognitoConfig"]["UserPool"],
        client_id=request["CognitoConfig"]["ClientId"],
        created_at=now,
        updated_at=now,
    )
    try:
        engine.registry.create_workforce(workforce, tags)
    except WorkforceExistsError as error:
        raise ValidationError(
            f"You cannot create more than one workforce for account {engine.account} in "
            f"{engine.region}: it has {str(error)!r} already. Use UpdateWorkforce to change it, or "
            "create work teams in it."
        ) from error
    return {"WorkforceArn": workforce.arn}


def describe(engine: Engine, request: dict[str, Any]) -> dict[str, Any]:
    """Describe the workforce."""
    return {"Workforce": _described(engine, _found(engine, request["WorkforceName"]))}


def list_all(engine: Engine, request: dict[str, Any]) -> dict[str, Any]:
    """List the workforces, of which there is one at most."""
    wanted = request.get("NameContains", "").lower()
    found = [entry for entry in engine.registry.workforces() if wanted in entry.name.lower()]
    by_name = request.get("SortBy", "CreateDate") == "Name"

    def key(entry: Workforce) -> tuple[str, str]:
        return ("" if by_name else time_key(entry.created_at), entry.name.lower())

    shown, token = page(found, key, request)
    return {"Workforces": [_described(engine, entry) for entry in shown], **token}


def update(engine: Engine, request: dict[str, Any]) -> dict[str, Any]:
    """Update the workforce, of which nothing that the open engine has can be changed."""
    if problems := _unsupported(request):
        raise validation_error(problems)
    _found(engine, request["WorkforceName"])
    changed = engine.registry.touch_workforce(request["WorkforceName"], engine.clock())
    return {"Workforce": _described(engine, changed)}


def delete(engine: Engine, request: dict[str, Any]) -> dict[str, Any]:
    """Delete the workforce once it has no work teams."""
    workforce = _found(engine, request["WorkforceName"])
    try:
        engine.registry.delete_workforce(workforce.name)
    except WorkteamsRemainError as error:
        raise ResourceInUseError(
            f"Workforce {workforce.arn} still has work teams: {error}. Delete them first."
        ) from error
    except WorkforceNotFoundError as error:
        raise missing_workforce(engine, workforce.name) from error
    return {}


def missing_workforce(engine: Engine, name: str) -> ValidationError:
    """Return the error for a workforce that does not exist, which is no ResourceNotFound."""
    return ValidationError(
        f"No workforce found with name {name!r} in account {engine.account} and {engine.region}"
    )


def _found(engine: Engine, name: str) -> Workforce:
    try:
        return engine.registry.workforce(name)
    except WorkforceNotFoundError as error:
        raise missing_workforce(engine, name) from error


def _described(engine: Engine, workforce: Workforce) -> dict[str, Any]:
    return {
        "WorkforceName": workforce.name,
        "WorkforceArn": workforce.arn,
        "CognitoConfig": {"UserPool": workforce.user_pool, "ClientId": workforce.client_id},
        "SubDomain": engine.sub_domain,
        "Status": "Active",
        "IpAddressType": "ipv4",
        "CreateDate": workforce.created_at,
        "LastUpdatedDate": workforce.updated_at,
    }


def _unsupported(request: dict[str, Any]) -> list[str]:
    """Refuse what would be kept but not enforced."""
    problems = []
    if "OidcConfig" in request:
        problems.append("OidcConfig: the open engine's workers sign in with Cognito only")
    if request.get("SourceIpConfig", {}).get("Cidrs"):
        problems.append("SourceIpConfig: the open engine's portal does not limit addresses")
    if request.get("WorkforceVpcConfig"):
        problems.append("WorkforceVpcConfig: the open engine's portal is not inside a VPC")
    if request.get("IpAddressType", "ipv4") != "ipv4":
        problems.append("IpAddressType: the open engine's portal has ipv4 only")
    return problems
