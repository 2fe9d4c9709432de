"""The open engine: SageMaker's labeling API, its loop and its worker portal."""

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks import outputs
from stacks.constructs.engine_alarms import EngineAlarms, Watched
from stacks.constructs.engine_api import EngineApi
from stacks.constructs.engine_dashboard import EngineDashboard
from stacks.constructs.engine_loop import EngineLoop
from stacks.constructs.engine_portal import EnginePortal, PortalAddress
from stacks.constructs.engine_rights import AVAILABLE_INDEX
from stacks.constructs.engine_watch import EngineWatch
from stacks.constructs.functions import LabelingService
from stacks.constructs.library import Library
from stacks.outputs import output


class EngineStack(cdk.Stack):
    """One engine serves every workshop of an account and region.

    Parameters
    ----------
    operator_emails
        Who is told when an alarm goes off.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        operator_emails: Sequence[str] = (),
        **stack_options: Any,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            description="Groundwork: the open labeling engine",
            **stack_options,
        )
        library = Library(self, "Library")
        layers = library.layers
        table = _build_table(self)
        address = PortalAddress(self, "PortalAddress")
        loop = EngineLoop(
            self,
            "Loop",
            table=table,
            portal_url=address.url,
            layers=layers,
            network_layers=library.network_layers(),
        )
        portal = EnginePortal(
            self,
            "Portal",
            address=address,
            table=table,
            state_machine=loop.state_machine,
            layers=layers,
        )
        api = EngineApi(
            self,
            "LabelingApi",
            table=table,
            state_machine=loop.state_machine,
            portal_url=address.url,
            layers=layers,
        )
        self.service = LabelingService(api.url, api.api.function.function_arn)
        self.notifying_role = loop.steps.role
        self.function_roles = (
            api.api.role,
            loop.steps.role,
            loop.auto_labeling.role,
            portal.portal.role,
        )
        output(self, outputs.PORTAL_URL, address.url, "Where workers sign in")
        output(self, outputs.LABELING_API_URL, api.url, "Endpoint of the labeling API for the SDK")
        output(
            self,
            outputs.LABELING_API_FUNCTION_NAME,
            api.api.function.function_name,
            "The function behind the labeling API",
        )
        output(self, outputs.TABLE_NAME, table.table_name, "The engine's state")
        output(
            self,
            outputs.ENGINE_ROLE_ARNS,
            ",".join(role.role_arn for role in self.function_roles),
            "Whom the role of a labeling job has to trust",
        )
        output(
            self,
            outputs.STATE_MACHINE_ARN,
            loop.state_machine.state_machine_arn,
            "What drives the jobs",
        )
        self._build_operations(table, address, api, loop, portal, layers, operator_emails)

    def _build_operations(
        self,
        table: dynamodb.Table,
        address: PortalAddress,
        api: EngineApi,
        loop: EngineLoop,
        portal: EnginePortal,
        layers: Sequence[lambda_.ILayerVersion],
        operator_emails: Sequence[str],
    ) -> None:
        """Add what looks after the engine and tells its operators."""
        watch = EngineWatch(
            self, "Watch", table=table, state_machine=loop.state_machine, layers=layers
        )
        alarms = EngineAlarms(
            self,
            "Alarms",
            watched=Watched(
                api=api.api,
                steps=loop.steps,
                auto_labeling=loop.auto_labeling,
                portal=address.api,
                loop=loop.state_machine,
                dead_letters=watch.dead_letters,
            ),
            operator_emails=operator_emails,
        )
        dashboard = EngineDashboard(
            self,
            "Dashboard",
            functions={
                "Steps": loop.steps,
                "AutoLabeling": loop.auto_labeling,
                "Portal": portal.portal,
                "Api": api.api,
                "Watch": watch.watch,
            },
            portal=address.api,
            loop=loop.state_machine,
            dead_letters=watch.dead_letters,
            alarms=alarms.alarms,
        )
        output(self, outputs.DASHBOARD_URL, dashboard.url, "Jobs, people, portal and alarms")
        output(
            self,
            outputs.WATCH_FUNCTION_NAME,
            watch.watch.function.function_name,
            "Looks for stuck jobs; call it to look now",
        )


def _build_table(scope: Construct) -> dynamodb.Table:
    table = dynamodb.Table(
        scope,
        "Table",
        partition_key=dynamodb.Attribute(name="PK", type=dynamodb.AttributeType.STRING),
        sort_key=dynamodb.Attribute(name="SK", type=dynamodb.AttributeType.STRING),
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
        time_to_live_attribute="expires_at",
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    # Open tasks in the order in which they may be taken.
    table.add_global_secondary_index(
        index_name=AVAILABLE_INDEX,
        partition_key=dynamodb.Attribute(name="available_pk", type=dynamodb.AttributeType.STRING),
        sort_key=dynamodb.Attribute(name="available_sk", type=dynamodb.AttributeType.STRING),
        projection_type=dynamodb.ProjectionType.ALL,
    )
    return table
