"""The watch over the engine's jobs: a function that looks for stuck ones, on a schedule."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from stacks.constructs.functions import PythonFunction
from stacks.policy import allow

WATCH_MINUTES = 15
_KEPT_DAYS = 14


class EngineWatch(Construct):
    """The function, its schedule, and the queue for calls that never reached an end.

    All other calls within the engine wait for their answer and are tried again by whoever made
    them, so that only this one can be lost unseen.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        table: dynamodb.Table,
        state_machine: stepfunctions.StateMachine,
        layers: Sequence[lambda_.ILayerVersion],
    ) -> None:
        super().__init__(scope, construct_id)
        self.dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            enforce_ssl=True,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            retention_period=cdk.Duration.days(_KEPT_DAYS),
        )
        self.watch = PythonFunction(
            self,
            "Watch",
            folder="job_watch",
            layers=layers,
            environment={
                "TABLE_NAME": table.table_name,
                "STATE_MACHINE_ARN": state_machine.state_machine_arn,
            },
            timeout_seconds=60,
            memory_mib=256,
            description="The watch over jobs that nothing drives",
        )
        allow(self.watch.role, ["dynamodb:GetItem", "dynamodb:Query"], [table.table_arn])
        allow(self.watch.role, ["states:ListExecutions"], [state_machine.state_machine_arn])
        allow(self.watch.role, ["sqs:SendMessage"], [self.dead_letters.queue_arn])
        function = self.watch.function.node.default_child
        if not isinstance(function, lambda_.CfnFunction):
            raise TypeError("CDK makes its functions of other parts now")
        function.dead_letter_config = lambda_.CfnFunction.DeadLetterConfigProperty(
            target_arn=self.dead_letters.queue_arn
        )
        events.Rule(
            self,
            "Schedule",
            description="Looks for labeling jobs that nothing drives any more",
            schedule=events.Schedule.rate(cdk.Duration.minutes(WATCH_MINUTES)),
            targets=[
                targets.LambdaFunction(
                    self.watch.function,
                    dead_letter_queue=self.dead_letters,
                    # The next look comes soon enough.
                    max_event_age=cdk.Duration.minutes(WATCH_MINUTES),
                    retry_attempts=2,
                )
            ],
        )
