"""Alarms on what people have to look after, ten of them: so many are free in each account.

docs/operations.md tells of each what it means and what to do; a test holds the two together.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as apigatewayv2
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from groundwork.metrics import ENGINE_NAMESPACE, JOBS_NAMESPACE
from stacks.constructs.engine_watch import WATCH_MINUTES
from stacks.constructs.functions import PythonFunction
from stacks.policy import arn

_MINUTES = 5
_SLOW_MILLISECONDS = 3000
_COUNTS = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD


@dataclass(frozen=True)
class Watched:
    """What the alarms are on."""

    api: PythonFunction
    steps: PythonFunction
    auto_labeling: PythonFunction
    portal: apigatewayv2.HttpApi
    loop: stepfunctions.StateMachine
    dead_letters: sqs.Queue


class EngineAlarms(Construct):
    """The alarms, and the topic that tells the operators of them.

    Parameters
    ----------
    operator_emails
        Who is told; each has to confirm the subscription.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        watched: Watched,
        operator_emails: Sequence[str],
    ) -> None:
        super().__init__(scope, construct_id)
        self.topic = self._build_topic(operator_emails)
        self.alarms = [
            self._alarm(
                "JobFailed",
                "A labeling job ended as Failed",
                _own(JOBS_NAMESPACE, "JobsFailed", "Sum"),
            ),
            self._alarm(
                "JobStuck",
                "A labeling job has not ended, and nothing drives it",
                _own(ENGINE_NAMESPACE, "JobsStuck", "Maximum", minutes=WATCH_MINUTES),
                # Looks are not so punctual that each period has one.
                periods=3,
                of_these=2,
            ),
            self._alarm(
                "LoopFailed",
                "A job's state machine failed where it could not end the job",
                watched.loop.metric_failed(period=cdk.Duration.minutes(_MINUTES)),
            ),
            self._alarm(
                "StepErrors",
                "Steps of the loop keep failing",
                watched.steps.function.metric_errors(period=cdk.Duration.minutes(_MINUTES)),
                threshold=3,
            ),
            self._alarm(
                "AutoLabelingErrors",
                "Steps of automated labeling keep failing",
                watched.auto_labeling.function.metric_errors(period=cdk.Duration.minutes(_MINUTES)),
                threshold=3,
            ),
            self._alarm(
                "ApiErrors",
                "The labeling API answers requests with failures of its own",
                watched.api.function.metric(
                    "Url5xxCount", statistic="Sum", period=cdk.Duration.minutes(_MINUTES)
                ),
            ),
            self._alarm(
                "PortalErrors",
                "The worker portal answers requests with failures of its own",
                watched.portal.metric_server_error(period=cdk.Duration.minutes(_MINUTES)),
                threshold=5,
            ),
            self._alarm(
                "PortalSlow",
                "One request in twenty to the worker portal takes more than three seconds",
                watched.portal.metric_latency(
                    statistic="p95", period=cdk.Duration.minutes(_MINUTES)
                ),
                threshold=_SLOW_MILLISECONDS,
                periods=3,
            ),
            self._alarm(
                "Throttled",
                "Functions of the account were refused for want of free ones",
                # Of all functions together: they share the account's limit.
                cloudwatch.Metric(
                    namespace="AWS/Lambda",
                    metric_name="Throttles",
                    statistic="Sum",
                    period=cdk.Duration.minutes(_MINUTES),
                ),
            ),
            self._alarm(
                "DeadLetters",
                "A call of the watch over jobs came to nothing",
                watched.dead_letters.metric_approximate_number_of_messages_visible(
                    period=cdk.Duration.minutes(_MINUTES), statistic="Maximum"
                ),
            ),
        ]

    def _build_topic(self, operator_emails: Sequence[str]) -> sns.Topic:
        topic = sns.Topic(self, "Topic", display_name="Groundwork alarms", enforce_ssl=True)
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={
                    "ArnLike": {
                        "aws:SourceArn": arn("cloudwatch", f"alarm:{cdk.Aws.STACK_NAME}-*")
                    },
                    "StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID},
                },
            )
        )
        for address in operator_emails:
            topic.add_subscription(subscriptions.EmailSubscription(address))
        return topic

    def _alarm(
        self,
        name: str,
        description: str,
        metric: cloudwatch.IMetric,
        *,
        threshold: int = 1,
        periods: int = 1,
        of_these: int | None = None,
    ) -> cloudwatch.Alarm:
        alarm = cloudwatch.Alarm(
            self,
            name,
            # People read it in the subject of a mail.
            alarm_name=f"{cdk.Aws.STACK_NAME}-{name}",
            alarm_description=f"{description}. What to do: docs/operations.md, {name}.",
            metric=metric,
            threshold=threshold,
            comparison_operator=_COUNTS,
            evaluation_periods=periods,
            datapoints_to_alarm=of_these or periods,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(actions.SnsAction(self.topic))
        return alarm


def _own(
    namespace: str, name: str, statistic: str, *, minutes: int = _MINUTES
) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=namespace,
        metric_name=name,
        statistic=statistic,
        period=cdk.Duration.minutes(minutes),
    )
