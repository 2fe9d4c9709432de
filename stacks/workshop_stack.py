"""The workshop: data set, workforce and labeling job, deployed and destroyed as a whole."""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from groundwork.contract.builtin_tasks import REGION_ACCOUNTS
from groundwork.templates import default_template
from stacks import outputs
from stacks.config import GROUND_TRUTH, TASK_TYPES, WorkshopConfig
from stacks.constructs.budget import MonthlyBudget
from stacks.constructs.dataset import Dataset
from stacks.constructs.functions import LabelingService
from stacks.constructs.job_dashboard import JobDashboard
from stacks.constructs.labeling_job import ExecutionRole, JobDefinition, LabelingJob
from stacks.constructs.library import Library
from stacks.constructs.workforce import (
    AdoptedWorkforce,
    CreatedWorkforce,
    WorkforceProvider,
    WorkTeam,
)
from stacks.engine_stack import EngineStack
from stacks.outputs import output
from stacks.sample_images import sample_images


class WorkshopStack(cdk.Stack):
    """One workshop.

    Parameters
    ----------
    config
        What the host decided.
    engine
        The open engine's stack; None for Ground Truth.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: WorkshopConfig,
        engine: EngineStack | None,
        **stack_options: Any,
    ) -> None:
        super().__init__(
            scope, construct_id, description="Groundwork: a data labeling workshop", **stack_options
        )
        self._config = config
        self._service = engine.service if engine else LabelingService()
        self._notifier = iam.ArnPrincipal(engine.notifying_role.role_arn) if engine else None
        self._layers = Library(self, "Library").layers
        self._key = self._encryption_key()
        if engine is None:
            self._refuse_regions_without_ground_truth()
        for name, text in config.warnings().items():
            cdk.Annotations.of(self).add_warning_v2(f"Groundwork:{name}", text)

        dataset = self._build_dataset()
        portal_url, workteam_arn, team = self._build_team()
        role = ExecutionRole(
            self,
            "ExecutionRole",
            dataset=dataset,
            input_buckets=config.input_buckets,
            trusted_roles=engine.function_roles if engine else (),
            auto_labeling=config.auto_labeling,
            task_time_limit_seconds=config.task_time_limit_seconds,
            encryption_key=self._key,
        ).role
        job = LabelingJob(
            self,
            "LabelingJob",
            definition=_definition(config),
            dataset=dataset,
            input_buckets=config.input_buckets,
            role=role,
            workteam_arn=workteam_arn,
            encryption_key=self._key,
            service=self._service,
            layers=self._layers,
        )
        if team is not None:
            # The other way round, a team would be deleted below a job that still uses it.
            job.node.add_dependency(team)
        self._add_outputs(dataset, job, workteam_arn, portal_url)
        if engine is None:
            page = JobDashboard(self, "Dashboard", job_name=job.name)
            output(self, outputs.DASHBOARD_URL, page.url, "The job's progress and its people")
        if config.monthly_budget_usd is not None:
            MonthlyBudget(
                self,
                "Budget",
                dollars=config.monthly_budget_usd,
                emails=config.operator_emails,
            )
        if config.studio:
            self._build_studio(dataset, role)

    def _encryption_key(self) -> kms.IKey | None:
        if self._config.kms_key_arn is None:
            return None
        return kms.Key.from_key_arn(self, "Key", self._config.kms_key_arn)

    def _refuse_regions_without_ground_truth(self) -> None:
        cdk.CfnRule(
            self,
            "RegionHasGroundTruth",
            assertions=[
                cdk.CfnRuleAssertion(
                    assert_=cdk.Fn.condition_contains(list(REGION_ACCOUNTS), cdk.Aws.REGION),
                    assert_description=(
                        "Ground Truth does not run in this region. Deploy to one of "
                        f"{', '.join(REGION_ACCOUNTS)}, or with engine=open to any region."
                    ),
                )
            ],
        )

    def _build_dataset(self) -> Dataset:
        config = self._config
        images, labels = config.images, config.labels
        if config.uses_sample_images:
            samples = sample_images(config.sample_count)
            images, labels = samples.images, labels or samples.labels
        return Dataset(
            self,
            "Dataset",
            images=images,
            manifest_uri=config.manifest,
            labels=labels,
            template=_template(config),
            encryption_key=self._key,
        )

    def _build_team(self) -> tuple[str | None, str, WorkTeam | None]:
        config = self._config
        if config.work_team_arn is not None:
            return None, config.work_team_arn, None
        adopts = config.workforce == "adopt"
        native = config.engine == GROUND_TRUTH
        provider = None
        if adopts or not native:
            provider = WorkforceProvider(
                self, "WorkforceProvider", layers=self._layers, service=self._service
            )
        if adopts and provider is not None:
            workforce = AdoptedWorkforce(self, "AdoptedWorkforce", provider=provider).workforce
        else:
            workforce = CreatedWorkforce(
                self, "Workforce", name=config.name, provider=provider
            ).workforce
        team = WorkTeam(
            self,
            "WorkTeam",
            name=config.name,
            workforce=workforce,
            worker_emails=config.worker_emails,
            provider=None if native else provider,
            notifier=self._notifier,
            layers=self._layers,
            tags=config.tags,
        )
        return team.portal_url, team.workteam_arn, team

    def _build_studio(self, dataset: Dataset, job_role: iam.IRole) -> None:
        # Imported here as it loads the VPC library, which only a workshop with Studio needs.
        from stacks.constructs.studio import Studio  # noqa: PLC0415

        studio = Studio(
            self,
            "Studio",
            name=self._config.name,
            bucket=dataset.bucket,
            encryption_key=self._key,
            job_name_prefix=self._config.name,
            job_role=job_role,
            service=self._service,
        )
        output(self, outputs.STUDIO_URL, studio.url, "Studio, for the workshop's notebook")

    def _add_outputs(
        self, dataset: Dataset, job: LabelingJob, workteam_arn: str, portal_url: str | None
    ) -> None:
        if portal_url is not None:
            output(self, outputs.PORTAL_URL, portal_url, "Where workers sign in")
        output(self, outputs.BUCKET_NAME, dataset.bucket.bucket_name, "Images and results")
        output(self, outputs.WORKTEAM_ARN, workteam_arn, "Who labels")
        output(self, outputs.LABELING_JOB_NAME, job.name, "The labeling job")
        output(self, outputs.LABELING_JOB_ARN, job.arn, "The labeling job's ARN")
        output(self, outputs.OUTPUT_MANIFEST, job.output_manifest_uri, "Where the results will be")
        output(self, outputs.CONSOLE_URL, job.console_url, "The job in the console")
        output(
            self,
            outputs.PROGRESS_COMMAND,
            self._progress_command(job),
            "Shows how far the labeling is",
        )

    def _progress_command(self, job: LabelingJob) -> str:
        function = self._service.function_arn
        if function is None:
            query = "{Status: LabelingJobStatus, Counters: LabelCounters}"
            command = f"aws sagemaker describe-labeling-job --labeling-job-name {job.name}"
            return f"{command} --region {self.region} --query '{query}'"
        # The AWS CLI can't sign for a function URL, but it can call the function behind it.
        body = f'{{\\"LabelingJobName\\": \\"{job.name}\\"}}'
        target = "SageMaker.DescribeLabelingJob"
        event = f'{{"headers": {{"x-amz-target": "{target}"}}, "body": "{body}"}}'
        return (
            f"aws lambda invoke --function-name {function} --region {self.region} "
            f"--cli-binary-format raw-in-base64-out --payload '{event}' /dev/stdout"
        )


def _template(config: WorkshopConfig) -> str:
    if config.template is not None:
        return config.template.read_text(encoding="utf-8")
    return default_template(
        config.task.key,
        short_instructions=config.short_instructions,
        full_instructions=config.full_instructions,
    )


def _definition(config: WorkshopConfig) -> JobDefinition:
    words = TASK_TYPES[config.task_type]
    return JobDefinition(
        name_prefix=config.name,
        task=config.task,
        label_attribute=config.label_attribute,
        title=config.title or words.title,
        description=config.description or words.description,
        keywords=words.keywords,
        workers_per_object=config.workers_per_object,
        batch_size=config.batch_size,
        task_time_limit_seconds=config.task_time_limit_seconds,
        auto_labeling=config.auto_labeling,
        auto_labeling_target=config.auto_labeling_target,
        auto_labeling_sample_percentage=config.auto_labeling_sample_percentage,
        max_human_labeled_objects=config.max_human_labeled_objects,
        max_labeled_percentage=config.max_labeled_percentage,
        tags=config.tags,
    )
