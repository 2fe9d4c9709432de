"""Python functions with a log group and a role of their own, and custom resources made of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import custom_resources
from constructs import Construct

from stacks.paths import LAMBDAS
from stacks.policy import acknowledge, acknowledge_wildcards, allow, arn, service_principal
from stacks.staging import staged

RUNTIME = lambda_.Runtime.PYTHON_3_13
ARCHITECTURE = lambda_.Architecture.ARM_64
_QUERY_INTERVAL = cdk.Duration.seconds(3)
# A workforce takes up to ten minutes, a stopping job as long as its people's open tasks.
_TOTAL_TIMEOUT = cdk.Duration.minutes(30)


def log_group(scope: Construct, construct_id: str = "Logs") -> logs.LogGroup:
    """Return a log group that goes with its stack, unlike one that a function makes by itself."""
    return logs.LogGroup(
        scope,
        construct_id,
        retention=logs.RetentionDays.ONE_MONTH,
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )


def function_role(scope: Construct, construct_id: str, logged_to: logs.LogGroup) -> iam.Role:
    """Return a role for a function that may write to one log group and do nothing else.

    It can't create log groups, so a late line after the stack's removal leaves nothing behind.
    """
    role = iam.Role(scope, construct_id, assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    logged_to.grant_write(role)
    return role


class PythonFunction(Construct):
    """One Lambda function from a folder in `lambdas/`, and files that were built for it."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        folder: str,
        layers: Sequence[lambda_.ILayerVersion],
        environment: Mapping[str, str],
        timeout_seconds: int,
        memory_mib: int,
        description: str,
        more_files: Mapping[str, Path] | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.log_group = log_group(self)
        self.role = function_role(self, "Role", self.log_group)
        self.function = _function(
            self,
            "Function",
            folder=folder,
            handler="handler.handler",
            layers=layers,
            environment=environment,
            timeout_seconds=timeout_seconds,
            memory_mib=memory_mib,
            description=description,
            role=self.role,
            logged_to=self.log_group,
            more_files=more_files or {},
        )


@dataclass(frozen=True)
class LabelingService:
    """Which labeling API a function calls: Ground Truth's own, or an open engine's function URL."""

    url: str | None = None
    function_arn: str | None = None

    @property
    def environment(self) -> dict[str, str]:
        """The SDK's own setting for another endpoint, if there is one."""
        # https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
        return {} if self.url is None else {"AWS_ENDPOINT_URL_SAGEMAKER": self.url}

    def allow_calls(self, role: iam.Role) -> None:
        """Let a role call the open engine; Ground Truth's own API has IAM actions instead."""
        if self.function_arn is None:
            return
        role.add_to_policy(
            iam.PolicyStatement(actions=["lambda:InvokeFunctionUrl"], resources=[self.function_arn])
        )
        # Function URLs ask for both since October 2025; this one is good for nothing but the URL.
        # https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["lambda:InvokeFunction"],
                resources=[self.function_arn],
                conditions={"Bool": {"lambda:InvokedViaFunctionUrl": "true"}},
            )
        )


class PythonProvider(Construct):
    """A custom resource's Python handlers, `on_event` and `is_complete`, and CDK's framework."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        folder: str,
        layers: Sequence[lambda_.ILayerVersion],
        environment: Mapping[str, str],
        description: str,
        memory_mib: int = 256,
    ) -> None:
        super().__init__(scope, construct_id)
        handlers_log, framework_log = log_group(self), log_group(self, "FrameworkLogs")
        self.role = function_role(self, "Role", handlers_log)
        handlers = {
            entry: _function(
                self,
                construct_name,
                folder=folder,
                handler=f"handler.{entry}",
                layers=layers,
                environment=environment,
                timeout_seconds=300,
                memory_mib=memory_mib,
                description=f"{description} ({entry})",
                role=self.role,
                logged_to=handlers_log,
                more_files={},
            )
            for entry, construct_name in (("on_event", "OnEvent"), ("is_complete", "IsComplete"))
        }
        roles = {
            name: function_role(self, name, framework_log)
            for name in ("FrameworkEventRole", "FrameworkWaitRole")
        }
        event_role, wait_role = roles.values()
        provider = custom_resources.Provider(
            self,
            "Framework",
            on_event_handler=handlers["on_event"],
            is_complete_handler=handlers["is_complete"],
            # CDK would let both of its functions invoke every version of both handlers.
            framework_on_event_role=event_role.without_policy_updates(),
            framework_complete_and_timeout_role=wait_role.without_policy_updates(),
            log_group=framework_log,
            query_interval=_QUERY_INTERVAL,
            total_timeout=_TOTAL_TIMEOUT,
        )
        self.service_token = provider.service_token
        # The framework asks what is up with a handler that it could not invoke.
        calls = ["lambda:InvokeFunction", "lambda:GetFunction"]
        allow(event_role, calls, [handlers["on_event"].function_arn])
        allow(wait_role, calls, [handlers["is_complete"].function_arn])
        waiter = provider.node.find_child("waiter-state-machine")
        if not isinstance(waiter, custom_resources.WaiterStateMachine):
            raise TypeError("waiter-state-machine: CDK makes its framework of other parts now")
        allow(event_role, ["states:StartExecution"], [waiter.state_machine_arn])
        _keep_to_this_account(waiter)
        self._acknowledge(provider, waiter)

    def _acknowledge(
        self, provider: custom_resources.Provider, waiter: custom_resources.WaiterStateMachine
    ) -> None:
        reason = "CDK's framework lets itself invoke every version of its functions; each has one"
        for name in ("framework-isComplete", "framework-onTimeout"):
            function = provider.node.find_child(name)
            if not isinstance(function, lambda_.Function):
                raise TypeError(f"{name}: CDK makes its framework of other parts now")
            acknowledge_wildcards(waiter, reason, f"{function.function_arn}:*")
        reason = "The machine only repeats a call that the handler and the framework both log"
        acknowledge(waiter, "AwsSolutions-SF1", reason)
        acknowledge(waiter, "AwsSolutions-SF2", reason)


def _keep_to_this_account(waiter: custom_resources.WaiterStateMachine) -> None:
    """Let Step Functions take the role of CDK's waiting machine for this account only."""
    role = waiter.node.find_child("Role").node.default_child
    if not isinstance(role, iam.CfnRole):
        raise TypeError("waiter-state-machine: CDK makes its role of another type now")
    principal = service_principal("states", source=arn("states", "stateMachine:*"))
    role.add_property_override(
        "AssumeRolePolicyDocument.Statement.0.Condition", principal.policy_fragment.conditions
    )


def _function(
    scope: Construct,
    construct_id: str,
    *,
    folder: str,
    handler: str,
    layers: Sequence[lambda_.ILayerVersion],
    environment: Mapping[str, str],
    timeout_seconds: int,
    memory_mib: int,
    description: str,
    role: iam.Role,
    logged_to: logs.LogGroup,
    more_files: Mapping[str, Path],
) -> lambda_.Function:
    source = LAMBDAS / folder
    if more_files:
        own = {path.relative_to(source).as_posix(): path for path in source.glob("*.py")}
        source = staged(folder, own | dict(more_files))
    function = lambda_.Function(
        scope,
        construct_id,
        code=lambda_.Code.from_asset(str(source), exclude=["**/__pycache__"]),
        handler=handler,
        runtime=RUNTIME,
        architecture=ARCHITECTURE,
        layers=layers,
        environment=dict(environment),
        timeout=cdk.Duration.seconds(timeout_seconds),
        memory_size=memory_mib,
        description=description,
        role=role,
        log_group=logged_to,
    )
    acknowledge(
        function,
        "AwsSolutions-L1",
        "The packages in lambdas/requirements.txt are pinned and tested for this Python",
    )
    return function
