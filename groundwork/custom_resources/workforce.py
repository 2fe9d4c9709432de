"""Custom::Workforce, Custom::Workteam and Custom::AdoptedWorkforce.

Ground Truth answers ``ValidationException`` for a workforce or team that does not exist, so it is
told apart by the message: the Terraform provider does the same.
https://github.com/hashicorp/terraform-provider-aws/tree/main/internal/service/sagemaker
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from groundwork.contract.arns import Arn, ArnFormatError, workforce_arn, workteam_arn
from groundwork.custom_resources.events import (
    Clock,
    ResourceEvent,
    done,
    looking_again,
    started,
    waiting,
)
from groundwork.custom_resources.failure import ResourceFailureError, failure, refusal
from groundwork.custom_resources.tags import sync_tags, tag_list
from groundwork.service import Service, ServiceRefusedError, pages

# As long as the Terraform provider waits for each.
ACTIVE_BOUND = timedelta(minutes=10)
TEAM_CREATION_BOUND = timedelta(minutes=2)
DELETION_BOUND = timedelta(minutes=10)

# Tells the stack's own team from one of the same name.
STACK_TAG = "groundwork:stack"

# What others still hold, what another call is changing, and what is not known everywhere yet.
_MAY_PASS_CODES = frozenset(
    {"ResourceInUse", "ResourceInUseException", "ConflictException", "ValidationException"}
)


class WorkforceResource:
    """Makes, waits for and deletes the account's one private workforce of a region."""

    def __init__(self, labeling: Service, clock: Clock, region: str, account: str) -> None:
        self._labeling = labeling
        self._clock = clock
        self._region = region
        self._account = account

    def on_event(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Name the resource; everything is done in ``is_complete``."""
        request = ResourceEvent.parse(event)
        if request.request_type == "Delete" and request.physical_id:
            return started(request.physical_id, self._clock())
        if request.request_type == "Update":
            _refuse_replacement(request)
        arn = workforce_arn(self._region, self._account, request.text("WorkforceName"))
        return started(arn, self._clock())

    def is_complete(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Do what the event asks for, and tell whether it is finished."""
        request = ResourceEvent.parse(event)
        act = self._delete if request.request_type == "Delete" else self._establish
        return looking_again(act, request, self._clock, ACTIVE_BOUND)

    def _establish(self, request: ResourceEvent) -> dict[str, Any]:
        name, wanted = request.text("WorkforceName"), _cognito_config(request)
        found = _describe_workforce(self._labeling, name)
        if found is None:
            self._create(request, name, wanted)
            return waiting()
        if found.get("CognitoConfig") != wanted:
            raise _second_workforce(found)
        return _answer_when_active(found, request, self._clock)

    def _create(self, request: ResourceEvent, name: str, wanted: Mapping[str, str]) -> None:
        try:
            self._labeling.call(
                "create_workforce",
                WorkforceName=name,
                CognitoConfig=wanted,
                **_tags(request),
            )
        except ServiceRefusedError as error:
            found = _describe_workforce(self._labeling, name)
            if found is not None and found.get("CognitoConfig") == wanted:
                return  # The SDK sent the request again, as the answer to the first was lost.
            others = self._others()
            if others:
                raise _second_workforce(others[0], error) from error
            raise refusal(
                f"The workforce {name} could not be created.", error, engine="open"
            ) from error

    def _others(self) -> list[Mapping[str, Any]]:
        try:
            return list(pages(self._labeling, "list_workforces", "Workforces"))
        except ServiceRefusedError:
            return []  # The refusal of the creation tells more.

    def _delete(self, request: ResourceEvent) -> dict[str, Any]:
        name = _name_in(request.physical_id, "workforce")
        found = _describe_workforce(self._labeling, name) if name else None
        # A creation that failed because the account has a workforce of this name is rolled back
        # with a Delete: that workforce is not ours.
        if found is None or found.get("CognitoConfig") != _cognito_config(request):
            return done()
        if found.get("Status") == "Deleting":
            return self._wait_for_deletion(request, f"The workforce {name} is still being deleted.")
        try:
            self._labeling.call("delete_workforce", WorkforceName=name)
        except ServiceRefusedError as error:
            if error.code not in _MAY_PASS_CODES:
                raise refusal(
                    f"The workforce {name} could not be deleted.", error, engine="open"
                ) from error
            return self._wait_for_deletion(request, f"The workforce {name} is in use.", error)
        return waiting()

    def _wait_for_deletion(
        self, request: ResourceEvent, what: str, error: ServiceRefusedError | None = None
    ) -> dict[str, Any]:
        if request.is_overdue(self._clock(), DELETION_BOUND):
            teams = ", ".join(self._team_names()) or "none found"
            raise failure(
                what,
                said=error,
                to_do=f"delete the work teams that still belong to it ({teams}) if nobody needs "
                "them, then delete the stack again.",
            )
        return waiting()

    def _team_names(self) -> list[str]:
        try:
            found = pages(self._labeling, "list_workteams", "Workteams")
            return [team["WorkteamName"] for team in found]
        except ServiceRefusedError:
            return []


class WorkteamResource:
    """Makes, updates and deletes a private work team."""

    def __init__(self, labeling: Service, clock: Clock, region: str, account: str) -> None:
        self._labeling = labeling
        self._clock = clock
        self._region = region
        self._account = account

    def on_event(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Name the resource; another team or workforce name is another team."""
        request = ResourceEvent.parse(event)
        if request.request_type == "Delete" and request.physical_id:
            return started(request.physical_id, self._clock())
        name = request.text("WorkteamName")
        if request.request_type == "Update" and _changed(request, "WorkforceName"):
            raise failure(
                f"The work team {name} cannot move to the workforce "
                f"{request.properties.get('WorkforceName')}: a team's workforce is fixed.",
                to_do="give the team another name as well, so that a new one is made.",
            )
        return started(workteam_arn(self._region, self._account, name), self._clock())

    def is_complete(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Do what the event asks for, and tell whether it is finished."""
        request = ResourceEvent.parse(event)
        act = self._delete if request.request_type == "Delete" else self._establish
        return looking_again(act, request, self._clock, DELETION_BOUND)

    def _establish(self, request: ResourceEvent) -> dict[str, Any]:
        name = request.text("WorkteamName")
        found = _describe_workteam(self._labeling, name)
        if found is None:
            return self._create(request, name)
        self._refuse_foreign(request, found)
        if not _same_definition(request, found):
            found = self._update(request, name)
        if request.request_type == "Update":
            sync_tags(
                self._labeling,
                found["WorkteamArn"],
                before=_tag_map(request.old_properties),
                after=_tag_map(request.properties),
            )
        return done(WorkteamArn=found["WorkteamArn"], WorkteamName=name)

    def _create(self, request: ResourceEvent, name: str) -> dict[str, Any]:
        definition = _definition(request)
        if not definition["NotificationConfiguration"]:
            del definition["NotificationConfiguration"]
        if workforce := request.properties.get("WorkforceName"):
            definition["WorkforceName"] = workforce
        try:
            answer = self._labeling.call(
                "create_workteam",
                WorkteamName=name,
                **definition,
                **_tags(request),
            )
        except ServiceRefusedError as error:
            # Groups and workforces made a moment ago are not known everywhere at once.
            if error.code in _MAY_PASS_CODES and not request.is_overdue(
                self._clock(), TEAM_CREATION_BOUND
            ):
                return waiting()
            raise refusal(
                f"The work team {name} could not be created.", error, engine="open"
            ) from error
        return done(WorkteamArn=answer["WorkteamArn"], WorkteamName=name)

    def _update(self, request: ResourceEvent, name: str) -> Mapping[str, Any]:
        try:
            answer = self._labeling.call(
                "update_workteam", WorkteamName=name, **_definition(request)
            )
        except ServiceRefusedError as error:
            raise refusal(
                f"The work team {name} could not be updated.", error, engine="open"
            ) from error
        team: Mapping[str, Any] = answer["Workteam"]
        return team

    def _refuse_foreign(self, request: ResourceEvent, found: Mapping[str, Any]) -> None:
        """Keep off a team that was there before; ours has the stack's tag."""
        arn = found["WorkteamArn"]
        if self._stack_of(arn) == request.stack_id:
            return
        raise failure(
            f"A work team {found['WorkteamName']} exists already ({arn}) and does not belong to "
            f"this stack; its members are {_members_text(found)}.",
            to_do="choose another name for this workshop, or delete that team if nobody needs it.",
        )

    def _stack_of(self, arn: str) -> str | None:
        try:
            tags = pages(self._labeling, "list_tags", "Tags", ResourceArn=arn)
            return next((tag["Value"] for tag in tags if tag["Key"] == STACK_TAG), None)
        except ServiceRefusedError as error:
            raise refusal(f"The tags of {arn} could not be read.", error, engine="open") from error

    def _delete(self, request: ResourceEvent) -> dict[str, Any]:
        name = _name_in(request.physical_id, "workteam")
        found = _describe_workteam(self._labeling, name) if name else None
        if found is None or self._stack_of(found["WorkteamArn"]) != request.stack_id:
            return done()
        said: ServiceRefusedError | str
        try:
            answer = self._labeling.call("delete_workteam", WorkteamName=name)
        except ServiceRefusedError as error:
            if error.code not in _MAY_PASS_CODES:
                raise refusal(
                    f"The work team {name} could not be deleted.", error, engine="open"
                ) from error
            said = error
        else:
            if answer.get("Success", True):
                return done()
            said = "Success: false"
        if request.is_overdue(self._clock(), DELETION_BOUND):
            raise failure(
                f"The work team {name} could not be deleted.",
                said=said,
                to_do="stop the labeling jobs and delete the flow definitions that use it, then "
                "delete the stack again.",
            )
        return waiting()


class AdoptedWorkforceResource:
    """Finds the workforce that the account has already; it is never changed."""

    def __init__(self, labeling: Service, clock: Clock) -> None:
        self._labeling = labeling
        self._clock = clock

    def on_event(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Name the resource: the same for as long as the stack lives."""
        request = ResourceEvent.parse(event)
        physical_id = request.physical_id or f"adopted-workforce-{request.logical_id}"
        return started(physical_id, self._clock())

    def is_complete(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a team in this workforce needs to know, once it is Active."""
        request = ResourceEvent.parse(event)
        if request.request_type == "Delete":
            return done()
        return looking_again(self._find, request, self._clock, ACTIVE_BOUND)

    def _find(self, request: ResourceEvent) -> dict[str, Any]:
        try:
            found = list(pages(self._labeling, "list_workforces", "Workforces"))
        except ServiceRefusedError as error:
            engine = request.properties.get("Engine", "ground-truth")
            raise refusal(
                "The account's workforces could not be listed.", error, engine=engine
            ) from error
        if not found:
            raise failure(
                "There is no private workforce in this account and region to adopt.",
                to_do="leave out `workforce: adopt`, so that the stack makes one, or deploy to the "
                "region that has it.",
            )
        workforce = found[0]
        cognito = workforce.get("CognitoConfig")
        if not cognito:
            raise failure(
                f"The account's workforce {workforce['WorkforceName']} signs people in with an "
                "identity provider of its own (OIDC); only one with Cognito can be adopted.",
                to_do="make a work team in that workforce yourself and give its ARN as the "
                "workshop's work team.",
            )
        return _answer_when_active(
            workforce,
            request,
            self._clock,
            UserPool=cognito["UserPool"],
            ClientId=cognito["ClientId"],
        )


def _answer_when_active(
    workforce: Mapping[str, Any], request: ResourceEvent, clock: Clock, **attributes: str
) -> dict[str, Any]:
    name = workforce["WorkforceName"]
    # Services older than the field leave it out.
    status = workforce.get("Status", "Active")
    if status == "Failed":
        raise failure(
            f"The workforce {name} failed.",
            said=workforce.get("FailureReason", "no reason was given"),
            to_do="correct what the reason names, delete the failed workforce (aws sagemaker "
            f"delete-workforce --workforce-name {name}) and deploy again.",
        )
    if status != "Active" or not workforce.get("SubDomain"):
        if request.is_overdue(clock(), ACTIVE_BOUND):
            raise failure(
                f"The workforce {name} is {status}, not Active, after {ACTIVE_BOUND}.",
                to_do="wait until `aws sagemaker describe-workforce` shows Active or Failed, then "
                "deploy again.",
            )
        return waiting()
    return done(
        WorkforceName=name,
        WorkforceArn=workforce["WorkforceArn"],
        SubDomain=workforce["SubDomain"],
        **attributes,
    )


def _refuse_replacement(request: ResourceEvent) -> None:
    if not (_changed(request, "WorkforceName") or _changed(request, "CognitoConfig")):
        return
    old, new = (
        f"{properties.get('WorkforceName')} with {properties.get('CognitoConfig')}"
        for properties in (request.old_properties, request.properties)
    )
    raise failure(
        f"The workforce cannot change from {old} to {new}: its name, user pool and app client are "
        "fixed, and an account has one private workforce per region, so no second one can be made "
        "before the first is gone.",
        to_do="undo the change, or destroy the stack and deploy it again.",
    )


def _second_workforce(
    found: Mapping[str, Any], error: ServiceRefusedError | None = None
) -> ResourceFailureError:
    return failure(
        f"The account has a private workforce in this region already: {found['WorkforceName']} "
        f"({found['WorkforceArn']}). There can be only one.",
        said=error,
        to_do="set `workforce: adopt` (cdk deploy -c workforce=adopt) to add this workshop's team "
        "to it, or delete that workforce and its teams if nobody needs them.",
    )


def _describe_workforce(labeling: Service, name: str) -> Mapping[str, Any] | None:
    try:
        workforce: Mapping[str, Any] = labeling.call("describe_workforce", WorkforceName=name)[
            "Workforce"
        ]
    except ServiceRefusedError as error:
        if _is_missing(error):
            return None
        raise refusal(f"The workforce {name} could not be read.", error, engine="open") from error
    return workforce


def _describe_workteam(labeling: Service, name: str) -> Mapping[str, Any] | None:
    try:
        team: Mapping[str, Any] = labeling.call("describe_workteam", WorkteamName=name)["Workteam"]
    except ServiceRefusedError as error:
        if _is_missing(error):
            return None
        raise refusal(f"The work team {name} could not be read.", error, engine="open") from error
    return team


def _is_missing(error: ServiceRefusedError) -> bool:
    if error.code.startswith("ResourceNotFound"):
        return True
    says_so = "No workforce" in error.message or error.message.startswith("The work team")
    return error.code == "ValidationException" and says_so


def _name_in(physical_id: str | None, kind: str) -> str | None:
    """Return the name in a physical id, or None for one that creation never got to set."""
    try:
        arn = Arn.parse(physical_id or "")
    except ArnFormatError:
        return None
    return arn.resource_name if arn.resource_type == kind else None


def _changed(request: ResourceEvent, name: str) -> bool:
    return request.properties.get(name) != request.old_properties.get(name)


def _cognito_config(request: ResourceEvent) -> dict[str, str]:
    config = request.properties.get("CognitoConfig") or {}
    return {key: str(config.get(key, "")) for key in ("ClientId", "UserPool")}


def _definition(request: ResourceEvent) -> dict[str, Any]:
    """Return what can be changed of a team, under the API's names: CloudFormation's differ."""
    members = [
        {
            "CognitoMemberDefinition": {
                "UserPool": member["CognitoMemberDefinition"]["CognitoUserPool"],
                "UserGroup": member["CognitoMemberDefinition"]["CognitoUserGroup"],
                "ClientId": member["CognitoMemberDefinition"]["CognitoClientId"],
            }
        }
        for member in request.properties.get("MemberDefinitions", [])
    ]
    return {
        "Description": request.text("Description"),
        "MemberDefinitions": members,
        "NotificationConfiguration": dict(request.properties.get("NotificationConfiguration", {})),
    }


def _same_definition(request: ResourceEvent, found: Mapping[str, Any]) -> bool:
    return all(
        (found.get(key) or {}) == (value or {}) for key, value in _definition(request).items()
    )


def _members_text(team: Mapping[str, Any]) -> str:
    groups = [
        f"group {cognito['UserGroup']} of pool {cognito['UserPool']}"
        for member in team.get("MemberDefinitions", [])
        if (cognito := member.get("CognitoMemberDefinition"))
    ]
    return ", ".join(groups) or "from an identity provider"


def _tags(request: ResourceEvent) -> dict[str, Any]:
    tags = {**_tag_map(request.properties), STACK_TAG: request.stack_id}
    return {"Tags": tag_list(tags)}


def _tag_map(properties: Mapping[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
