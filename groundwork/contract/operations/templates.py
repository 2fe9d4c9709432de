"""RenderUiTemplate: a worker template as a worker would get it."""

from typing import Any

from groundwork.contract.arns import Arn
from groundwork.contract.engine import Engine
from groundwork.contract.errors import ResourceNotFoundError, ValidationError, validation_error
from groundwork.json_text import JsonTextError, read_json
from groundwork.s3_uri import S3Uri
from groundwork.templates import TemplateError, render

_SESSION_NAME = "groundwork-RenderUiTemplate"
_READ_ACCESS_SECONDS = 900


def render_ui_template(engine: Engine, request: dict[str, Any]) -> dict[str, Any]:
    """Render a template; what is wrong with it comes back in ``Errors`` of a successful answer."""
    role_arn = request["RoleArn"]
    if problems := _problems(engine, request):
        raise validation_error(problems)
    if "HumanTaskUiArn" in request:
        raise ResourceNotFoundError(
            f"Could not find {request['HumanTaskUiArn']}: the open engine has no worker pages as "
            "resources; give UiTemplate.Content"
        )
    files = engine.files_for_role(role_arn, _SESSION_NAME)

    def grant_read_access(uri: str) -> str:
        return files.presign_get(S3Uri.parse(uri), _READ_ACCESS_SECONDS)

    variables = {"task": {"input": _task_input(request["Task"]["Input"])}}
    try:
        content = render(request["UiTemplate"]["Content"], variables, grant_read_access)
    except TemplateError as error:
        errors = [{"Code": "TemplateError", "Message": str(item)} for item in error.problems]
        return {"RenderedContent": "", "Errors": errors}
    return {"RenderedContent": content, "Errors": []}


def _problems(engine: Engine, request: dict[str, Any]) -> list[str]:
    problems = []
    if ("UiTemplate" in request) == ("HumanTaskUiArn" in request):
        problems.append("give one of UiTemplate and HumanTaskUiArn")
    role_account = Arn.parse(request["RoleArn"]).account
    if role_account != engine.account:
        problems.append(f"RoleArn is in account {role_account}; it has to be in {engine.account}")
    return problems


def _task_input(text: str) -> Any:
    try:
        return read_json(text)
    except JsonTextError as error:
        raise ValidationError(f"Task.Input is not JSON: {error}") from error
