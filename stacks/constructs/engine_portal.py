"""The worker portal: one HTTP API in front of one function that signs people in itself."""

import json
from collections.abc import Sequence
from pathlib import Path

from aws_cdk import aws_apigatewayv2 as apigatewayv2
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from stacks.constructs.engine_rights import (
    allow_index,
    allow_job_roles,
    allow_sign_in,
    allow_table,
    allow_task_answers,
)
from stacks.constructs.functions import PythonFunction, log_group
from stacks.paths import PORTAL_PAGES
from stacks.policy import acknowledge
from stacks.staging import NotBuiltError

# A hundred workers who load a page and its images at once stay well below these.
_REQUESTS_PER_SECOND = 200
_BURST_REQUESTS = 400
# No query strings: they carry sign-in codes.
_LOGGED = {
    "requestId": "$context.requestId",
    "time": "$context.requestTime",
    "ip": "$context.identity.sourceIp",
    "method": "$context.httpMethod",
    "path": "$context.path",
    "status": "$context.status",
    "milliseconds": "$context.responseLatency",
    "error": "$context.integrationErrorMessage",
}


class PortalAddress(Construct):
    """The portal's HTTP API and its address, which the engine's functions are told."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.api = apigatewayv2.HttpApi(
            self, "Api", description="Worker portal", create_default_stage=False
        )
        self.url = self.api.api_endpoint
        apigatewayv2.CfnStage(
            self,
            "Stage",
            api_id=self.api.api_id,
            stage_name="$default",
            auto_deploy=True,
            default_route_settings=apigatewayv2.CfnStage.RouteSettingsProperty(
                throttling_rate_limit=_REQUESTS_PER_SECOND, throttling_burst_limit=_BURST_REQUESTS
            ),
            access_log_settings=apigatewayv2.CfnStage.AccessLogSettingsProperty(
                destination_arn=log_group(self).log_group_arn, format=json.dumps(_LOGGED)
            ),
        )


class EnginePortal(Construct):
    """The function behind the portal's address."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        address: PortalAddress,
        table: dynamodb.Table,
        state_machine: stepfunctions.StateMachine,
        layers: Sequence[lambda_.ILayerVersion],
    ) -> None:
        super().__init__(scope, construct_id)
        self.portal = PythonFunction(
            self,
            "Portal",
            folder="portal",
            layers=layers,
            environment={"TABLE_NAME": table.table_name, "PORTAL_URL": address.url},
            timeout_seconds=29,
            memory_mib=512,
            description="Worker portal: pages, sign-in and worker API",
            more_files=_pages(),
        )
        actions = ("GetItem", "Query", "PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem")
        allow_table(self.portal.role, table, *actions)
        allow_index(self.portal.role, table)
        allow_job_roles(self.portal.role)
        allow_task_answers(self, self.portal.role, state_machine.state_machine_arn)
        allow_sign_in(
            self.portal.role,
            "AdminGetUser",
            "AdminListGroupsForUser",
            "DescribeUserPool",
            "DescribeUserPoolClient",
        )
        route = apigatewayv2.HttpRoute(
            self,
            "AllRequests",
            http_api=address.api,
            route_key=apigatewayv2.HttpRouteKey.DEFAULT,
            integration=integrations.HttpLambdaIntegration("Function", self.portal.function),
        )
        acknowledge(
            route,
            "AwsSolutions-APIG4",
            "The portal signs people in by Cognito's code flow and keeps the session in a cookie, "
            "which API Gateway's token authorizers can't read",
        )


def _pages() -> dict[str, Path]:
    """Return the built pages, as the function finds them beside its handler."""
    needed = ("index.html", "assets/crowd-html-elements.js")
    if not all((PORTAL_PAGES / name).is_file() for name in needed):
        raise NotBuiltError(f"The worker portal is not built in {PORTAL_PAGES}: run `make setup`.")
    return {
        f"pages/{path.relative_to(PORTAL_PAGES).as_posix()}": path
        for path in PORTAL_PAGES.rglob("*")
        if path.is_file()
    }
