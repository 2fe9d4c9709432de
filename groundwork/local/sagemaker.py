"""SageMaker in the emulator: the open engine answers for it.

The emulator has no SageMaker. Requests for it are handed to the engine's labeling API, the function
that some stack names in its output `LabelingApiFunctionName`, as the same event that its function
URL gives it on AWS. The CloudFormation types of workforces and work teams call the same API.
"""

import dataclasses
import json
import logging
import time
from collections.abc import Callable
from typing import Any

import boto3
from botocore.exceptions import ClientError
from ministack import app
from ministack.core import iam_actions, iam_evaluator, router
from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudformation, lambda_svc
from ministack.services.cloudformation import provisioners, stacks

from groundwork.contract.arns import labeling_job_arn, workforce_arn, workteam_arn
from groundwork.local.hooks import EmulatorChangedError, wrap

API_FUNCTION_OUTPUT = "LabelingApiFunctionName"
SERVICE_PRINCIPAL = "sagemaker.amazonaws.com"

_WORKFORCE_TIMEOUT_SECONDS = 300
_POLL_SECONDS = 0.5
_logger = logging.getLogger("groundwork")


def install(port: int) -> None:
    """Register the service, its IAM actions and its CloudFormation types.

    Raises
    ------
    EmulatorChangedError
        When this version of the emulator has other tables or functions.
    """
    if "sagemaker" in app.SERVICE_HANDLERS:
        raise EmulatorChangedError("MiniStack has a SageMaker of its own now")
    app.SERVICE_HANDLERS["sagemaker"] = _handle
    router.SERVICE_PATTERNS["sagemaker"] = {
        "target_prefixes": ["SageMaker."],
        "host_patterns": [r"api\.sagemaker\."],
        "credential_scope": "sagemaker",
    }
    iam_actions.SERVICE_TO_IAM_NAMESPACE["sagemaker"] = "sagemaker"
    wrap(
        iam_actions,
        "extract_resource_arn",
        _resource_arn,
        ("service", "method", "path", "headers", "body", "query_params", "region", "account_id"),
    )
    wrap(
        iam_evaluator,
        "evaluate_trust_policy",
        _trust_as_service,
        ("trust_doc", "caller_arn", "ctx"),
    )
    wrap(iam_evaluator, "_resource_policy", _policy_as_service, ("service", "resource_arn"))
    wrap(stacks, "_runs_on_worker_thread", _worker_thread, ("resource_type",))
    types = _ResourceTypes(f"http://127.0.0.1:{port}")
    provisioners._RESOURCE_HANDLERS["AWS::SageMaker::Workforce"] = types.workforce()
    provisioners._RESOURCE_HANDLERS["AWS::SageMaker::Workteam"] = types.workteam()


async def _handle(
    method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
) -> tuple[int, dict[str, str], bytes]:
    engine = _engine()
    if engine is None:
        return _refusal(
            "No SageMaker here: no stack with the open engine is deployed on this local cloud "
            f"(none has the output {API_FUNCTION_OUTPUT}). Deploy the engine first: groundwork up"
        )
    function_name = engine[1]
    for (account, region, name), settings in lambda_svc._function_urls.all_items():
        if (account, region, name) == (get_account_id(), get_region(), function_name):
            url_id = lambda_svc._function_url_id(settings["FunctionUrl"])
            answer: tuple[int, dict[str, str], bytes]
            answer = await lambda_svc.handle_function_url_request(
                url_id, method, path, headers, body, query
            )
            return answer
    return _refusal(f"The engine's function {function_name} has no function URL; deploy it again.")


def _engine() -> tuple[str, str] | None:
    """The names of the stack with the open engine and of its labeling API's function."""
    for stack in cloudformation._stacks.values():
        for output in stack.get("Outputs", []):
            if output.get("OutputKey") == API_FUNCTION_OUTPUT:
                return stack["StackName"], output["OutputValue"]
    return None


def _refusal(message: str) -> tuple[int, dict[str, str], bytes]:
    body = json.dumps({"__type": "ValidationException", "message": message}).encode()
    return 400, {"Content-Type": "application/x-amz-json-1.1"}, body


def _resource_arn(original: Callable[..., str], service: str, *args: Any) -> str:
    if service != "sagemaker":
        return original(service, *args)
    _, _, _, body, _, region, account = args
    try:
        request = json.loads(body or b"{}")
    except ValueError:
        return "*"
    for field, arn_of in (
        ("LabelingJobName", labeling_job_arn),
        ("WorkteamName", workteam_arn),
        ("WorkforceName", workforce_arn),
    ):
        if request.get(field):
            return arn_of(region, account, request[field])
    return str(request.get("ResourceArn") or request.get("WorkteamArn") or "*")


def _trust_as_service(
    original: Callable[..., bool],
    trust_doc: str | dict[str, Any],
    caller_arn: str,
    ctx: iam_evaluator.EvalContext | None = None,
) -> bool:
    """Let the engine's functions take the roles that trust SageMaker: they are SageMaker here."""
    if original(trust_doc, caller_arn, ctx):
        return True
    engine = _engine()
    if ctx is None or engine is None or f":assumed-role/{engine[0]}-" not in caller_arn:
        return False
    trust = json.loads(trust_doc) if isinstance(trust_doc, str) else trust_doc
    statements = [
        {**statement, "Principal": "*"} if _names_sagemaker(statement) else statement
        for statement in trust.get("Statement", [])
    ]
    as_service = dataclasses.replace(
        ctx, service_context={**ctx.service_context, "aws:sourceaccount": ctx.principal_account}
    )
    return original({**trust, "Statement": statements}, caller_arn, as_service)


def _policy_as_service(
    original: Callable[..., tuple[Any, str] | None], service: str, resource_arn: str
) -> tuple[Any, str] | None:
    """Let the engine's functions publish to the topics that let SageMaker: they are SageMaker."""
    found, engine = original(service, resource_arn), _engine()
    if service != "sns" or not found or not found[0] or engine is None:
        return found
    policy = json.loads(found[0])
    functions = f"arn:aws:sts::{get_account_id()}:assumed-role/{engine[0]}-*"
    # Its conditions are on the service's own request, which no request here is.
    statements = [
        {**statement, "Principal": {"AWS": functions}, "Condition": {}}
        if _names_sagemaker(statement)
        else statement
        for statement in policy.get("Statement", [])
    ]
    return {**policy, "Statement": statements}, found[1]


def _names_sagemaker(statement: dict[str, Any]) -> bool:
    principal = statement.get("Principal")
    services = principal.get("Service", []) if isinstance(principal, dict) else []
    return SERVICE_PRINCIPAL in ([services] if isinstance(services, str) else services)


def _worker_thread(original: Callable[[str], bool], resource_type: str) -> bool:
    # The handlers below wait for the emulator itself, so they must not hold its event loop.
    return resource_type.startswith("AWS::SageMaker::") or original(resource_type)


class _ResourceTypes:
    """Handlers of AWS::SageMaker::Workforce and ::Workteam that call the labeling API."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint

    def workforce(self) -> dict[str, Callable[..., Any]]:
        return {
            "create": self._create_workforce,
            "update": self._update_workforce,
            "delete": self._delete_workforce,
        }

    def workteam(self) -> dict[str, Callable[..., Any]]:
        return {
            "create": self._create_workteam,
            "update": self._update_workteam,
            "delete": self._delete_workteam,
        }

    def _client(self) -> Any:
        return boto3.client(
            "sagemaker",
            endpoint_url=self._endpoint,
            region_name=get_region(),
            aws_access_key_id=_root_key(get_account_id()),
            aws_secret_access_key="test",  # noqa: S106 - the emulator's fixed credentials
        )

    def _create_workforce(
        self, logical_id: str, properties: dict[str, Any], stack_name: str
    ) -> tuple[str, dict[str, str]]:
        del logical_id, stack_name
        request = {
            "WorkforceName": properties["WorkforceName"],
            "CognitoConfig": properties.get("CognitoConfig"),
            "OidcConfig": properties.get("OidcConfig"),
            "SourceIpConfig": properties.get("SourceIpConfig"),
            "Tags": properties.get("Tags"),
        }
        self._client().create_workforce(**_given(request))
        return self._active_workforce(properties["WorkforceName"])

    def _update_workforce(
        self, physical_id: str, old: dict[str, Any], new: dict[str, Any], stack_name: str
    ) -> tuple[str, dict[str, str]]:
        if any(old.get(name) != new.get(name) for name in ("WorkforceName", "CognitoConfig")):
            # One workforce per account: the type's own strategy is delete, then create.
            self._delete_workforce(physical_id, old)
            return self._create_workforce("", new, stack_name)
        request = {
            "WorkforceName": new["WorkforceName"],
            "OidcConfig": new.get("OidcConfig"),
            "SourceIpConfig": new.get("SourceIpConfig"),
        }
        self._client().update_workforce(**_given(request))
        return self._active_workforce(new["WorkforceName"])

    def _delete_workforce(self, physical_id: str, properties: dict[str, Any]) -> None:
        del properties
        name = physical_id.rsplit("/", 1)[-1]
        _unless_gone(lambda: self._client().delete_workforce(WorkforceName=name))

    def _active_workforce(self, name: str) -> tuple[str, dict[str, str]]:
        deadline = time.monotonic() + _WORKFORCE_TIMEOUT_SECONDS
        while True:
            workforce = self._client().describe_workforce(WorkforceName=name)["Workforce"]
            status = workforce.get("Status", "Active")
            if status == "Active":
                arn = workforce["WorkforceArn"]
                return arn, {"WorkforceArn": arn, "SubDomain": workforce["SubDomain"]}
            if status == "Failed" or time.monotonic() > deadline:
                raise ValueError(
                    f"Workforce {name} is {status}: {workforce.get('FailureReason', 'no reason')}"
                )
            time.sleep(_POLL_SECONDS)

    def _create_workteam(
        self, logical_id: str, properties: dict[str, Any], stack_name: str
    ) -> tuple[str, dict[str, str]]:
        name = properties.get("WorkteamName") or f"{stack_name}-{logical_id}"[:63].strip("-")
        request = {
            "WorkteamName": name,
            "WorkforceName": properties.get("WorkforceName"),
            "Description": properties.get("Description"),
            "MemberDefinitions": _members(properties),
            "NotificationConfiguration": properties.get("NotificationConfiguration"),
            "Tags": properties.get("Tags"),
        }
        arn = self._client().create_workteam(**_given(request))["WorkteamArn"]
        return arn, {"WorkteamArn": arn, "WorkteamName": name}

    def _update_workteam(
        self, physical_id: str, old: dict[str, Any], new: dict[str, Any], stack_name: str
    ) -> tuple[str, dict[str, str]]:
        if any(old.get(name) != new.get(name) for name in ("WorkteamName", "WorkforceName")):
            created = self._create_workteam("", new, stack_name)
            self._delete_workteam(physical_id, old)
            return created
        name = physical_id.rsplit("/", 1)[-1]
        request = {
            "WorkteamName": name,
            "Description": new.get("Description"),
            "MemberDefinitions": _members(new),
            "NotificationConfiguration": new.get("NotificationConfiguration"),
        }
        self._client().update_workteam(**_given(request))
        return physical_id, {"WorkteamArn": physical_id, "WorkteamName": name}

    def _delete_workteam(self, physical_id: str, properties: dict[str, Any]) -> None:
        del properties
        name = physical_id.rsplit("/", 1)[-1]
        _unless_gone(lambda: self._client().delete_workteam(WorkteamName=name))


def _members(properties: dict[str, Any]) -> list[dict[str, Any]]:
    """Members as the API names their fields, which the CloudFormation type prefixes."""
    members = []
    for definition in properties.get("MemberDefinitions") or []:
        cognito = definition.get("CognitoMemberDefinition")
        if cognito is None:
            members.append(definition)
            continue
        member = {
            "UserPool": cognito["CognitoUserPool"],
            "UserGroup": cognito["CognitoUserGroup"],
            "ClientId": cognito["CognitoClientId"],
        }
        members.append({"CognitoMemberDefinition": member})
    return members


def _given(request: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in request.items() if value}


def _unless_gone(delete: Callable[[], Any]) -> None:
    try:
        delete()
    except ClientError as error:
        details = error.response["Error"]
        gone = details["Code"] in {"ResourceNotFound", "ResourceNotFoundException"}
        if not gone and "does not exist" not in details["Message"]:
            raise
        _logger.info("Already gone: %s", details["Message"])


def _root_key(account: str) -> str:
    # The emulator takes a 12-digit key for that account's root, and `test` for the default one's.
    return "test" if account == "000000000000" else account
