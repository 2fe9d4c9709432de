"""The labeling job: the role it works with, and the custom resource that starts and stops it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from groundwork.contract.arns import Arn, TeamKind
from groundwork.contract.builtin_tasks import (
    ALGORITHM_ACCOUNT,
    OTHER_REGIONS_ACCOUNT,
    REGION_ACCOUNTS,
    BuiltinTask,
)
from stacks.constructs.dataset import IMAGES_PREFIX, INPUT_PREFIX, OUTPUT_PREFIX, Dataset
from stacks.constructs.functions import LabelingService, PythonProvider
from stacks.policy import allow, allow_passing, arn, service_principal

# https://docs.aws.amazon.com/sagemaker/latest/dg/sms-security-kms-permissions.html
_KEY_ACTIONS = (
    "kms:Encrypt",
    "kms:Decrypt",
    "kms:ReEncrypt*",
    "kms:GenerateDataKey*",
    "kms:DescribeKey",
)
# What S3 asks of whoever reads and writes encrypted objects, in parts, too.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
_S3_KEY_ACTIONS = ("kms:GenerateDataKey", "kms:Decrypt")
_KEY_REASON = (
    "Each stands for its two or four variants on this one key, as the service's guide asks"
)
_OBJECTS_REASON = "Objects are named by the customer's images, and results by the job, as they come"


@dataclass(frozen=True)
class JobDefinition:
    """What the job asks of people, and within which limits."""

    name_prefix: str
    task: BuiltinTask
    label_attribute: str
    title: str
    description: str
    keywords: Sequence[str]
    workers_per_object: int
    batch_size: int
    task_time_limit_seconds: int
    auto_labeling: bool
    auto_labeling_target: float | None
    auto_labeling_sample_percentage: float | None
    max_human_labeled_objects: int | None
    max_labeled_percentage: int | None
    tags: Mapping[str, str]


class ExecutionRole(Construct):
    """The role that the job reads images and writes results with.

    Parameters
    ----------
    trusted_roles
        The open engine's functions; empty for Ground Truth, which is a service principal.
    input_buckets
        Buckets of the customer's own that a manifest in S3 lies in or names objects in.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        dataset: Dataset,
        input_buckets: Sequence[str],
        trusted_roles: Sequence[iam.IRole],
        auto_labeling: bool,
        task_time_limit_seconds: int,
        encryption_key: kms.IKey | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=_trusted(trusted_roles),
            # Presigned URLs of a task must outlive it.
            max_session_duration=cdk.Duration.seconds(max(3600, task_time_limit_seconds)),
            description="What a labeling job may read and write",
        )
        # Without the right to list, S3 does not tell a missing object from a closed one.
        looking = ["s3:ListBucket"] if trusted_roles else ["s3:ListBucket", "s3:GetBucketLocation"]
        allow(self.role, looking, [dataset.bucket.bucket_arn, *_bucket_arns(input_buckets)])
        self._allow_objects(dataset.bucket.bucket_arn, input_buckets)
        if encryption_key is not None:
            key = [encryption_key.key_arn]
            if trusted_roles:
                allow(self.role, _S3_KEY_ACTIONS, key)
            else:
                allow(self.role, _KEY_ACTIONS, key, because=_KEY_REASON)
        # The open engine's functions train by themselves, and log to their own groups.
        if not trusted_roles:
            self._allow_metrics_and_logs()
            if auto_labeling:
                self._allow_training()

    def _allow_objects(self, own: str, input_buckets: Sequence[str]) -> None:
        readable = [f"{own}/{prefix}/*" for prefix in (IMAGES_PREFIX, INPUT_PREFIX, OUTPUT_PREFIX)]
        readable += [f"{bucket}/*" for bucket in _bucket_arns(input_buckets)]
        allow(self.role, ["s3:GetObject"], readable, because=_OBJECTS_REASON)
        written = [f"{own}/{OUTPUT_PREFIX}/*"]
        actions = ["s3:PutObject", "s3:AbortMultipartUpload"]
        allow(self.role, actions, written, because=_OBJECTS_REASON)

    def _allow_metrics_and_logs(self) -> None:
        # https://docs.aws.amazon.com/sagemaker/latest/dg/sms-security-permission-execution-role.html
        allow(
            self.role,
            ["cloudwatch:PutMetricData"],
            ["*"],
            because="IAM knows no resource for metrics, and the service publishes no namespace",
        )
        allow(
            self.role,
            [
                "logs:CreateLogGroup",
                "logs:CreateLogStream",
                "logs:DescribeLogStreams",
                "logs:PutLogEvents",
            ],
            [arn("logs", "log-group:/aws/sagemaker/*")],
            because="The service names its log groups below this path itself",
        )

    def _allow_training(self) -> None:
        """Let Ground Truth train, and label with what it trained.

        The guide names PassRole alone and no further minimum:
        https://docs.aws.amazon.com/sagemaker/latest/dg/sms-security-permission-execution-role.html
        """
        allow_passing(self.role, self.role)
        actions = [
            f"sagemaker:{verb}{noun}"
            for noun in ("TrainingJob", "TransformJob", "Model")
            for verb in ("Create", "Describe", "Delete" if noun == "Model" else "Stop")
        ]
        allow(
            self.role,
            actions,
            [arn("sagemaker", f"{kind}/*") for kind in ("training-job", "transform-job", "model")],
            because="Ground Truth names the training jobs, models and transform jobs itself",
        )


class LabelingJob(Construct):
    """`Custom::LabelingJob`: a job that starts with the stack and is stopped with it."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        definition: JobDefinition,
        dataset: Dataset,
        input_buckets: Sequence[str],
        role: iam.Role,
        workteam_arn: str,
        encryption_key: kms.IKey | None,
        service: LabelingService,
        layers: Sequence[lambda_.ILayerVersion],
    ) -> None:
        super().__init__(scope, construct_id)
        provider = PythonProvider(
            self,
            "Provider",
            folder="labeling_job",
            layers=layers,
            environment=service.environment,
            description="Starts and stops the labeling job",
            memory_mib=512,
        )
        service.allow_calls(provider.role)
        if service.function_arn is None:
            _allow_ground_truth(provider.role, definition.name_prefix, workteam_arn)
        allow_passing(provider.role, role)
        _allow_preflight(provider.role, dataset, input_buckets, role, encryption_key)
        job = cdk.CustomResource(
            self,
            "Job",
            resource_type="Custom::LabelingJob",
            service_token=provider.service_token,
            properties={
                "InputManifestUri": dataset.manifest_uri,
                "LabelCategoryConfigUri": dataset.label_categories_uri,
                "UiTemplateUri": dataset.template_uri,
                "OutputPath": dataset.output_uri,
                "InputHash": dataset.input_hash,
                "RoleArn": role.role_arn,
                "WorkteamArn": workteam_arn,
                "Engine": "open" if service.function_arn else "ground-truth",
                **_definition_properties(definition),
                **self._function_arns(definition, any_region=service.function_arn is not None),
                **({"KmsKeyArn": encryption_key.key_arn} if encryption_key else {}),
            },
        )
        # Emptying the bucket, or taking rights from the role, has to wait until the job stopped.
        job.node.add_dependency(dataset, role)
        self.name = job.get_att_string("LabelingJobName")
        self.arn = job.ref
        self.output_manifest_uri = job.get_att_string("OutputManifestUri")
        self.console_url = job.get_att_string("ConsoleUrl")

    def _function_arns(self, definition: JobDefinition, *, any_region: bool) -> dict[str, str]:
        """Return the ARNs of the built-in functions, by region where only the service has them."""
        account = OTHER_REGIONS_ACCOUNT
        if not any_region:
            accounts = cdk.CfnMapping(
                self,
                "BuiltinFunctions",
                mapping={region: {"Account": number} for region, number in REGION_ACCOUNTS.items()},
            )
            account = accounts.find_in_map(cdk.Aws.REGION, "Account")
        functions = f"arn:{cdk.Aws.PARTITION}:lambda:{cdk.Aws.REGION}:{account}:function"
        task = definition.task
        arns = {
            "PreLambdaArn": f"{functions}:{task.pre_lambda_name}",
            "ConsolidationLambdaArn": f"{functions}:{task.consolidation_lambda_name}",
        }
        if definition.auto_labeling and task.algorithm is not None:
            arns["AlgorithmArn"] = (
                f"arn:{cdk.Aws.PARTITION}:sagemaker:{cdk.Aws.REGION}:{ALGORITHM_ACCOUNT}"
                f":labeling-job-algorithm-specification/{task.algorithm}"
            )
        return arns


def _trusted(roles: Sequence[iam.IRole]) -> iam.IPrincipal:
    if roles:
        return iam.CompositePrincipal(*(iam.ArnPrincipal(role.role_arn) for role in roles))
    return service_principal("sagemaker")


def _definition_properties(definition: JobDefinition) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "NamePrefix": definition.name_prefix,
        "TaskType": definition.task.key,
        "LabelAttributeName": definition.label_attribute,
        "TaskTitle": definition.title,
        "TaskDescription": definition.description,
        "TaskKeywords": list(definition.keywords),
        "WorkersPerObject": definition.workers_per_object,
        "BatchSize": definition.batch_size,
        "TaskTimeLimitSeconds": definition.task_time_limit_seconds,
        "AutoLabeling": str(definition.auto_labeling).lower(),
        "Tags": dict(definition.tags),
    }
    limits = {
        "MaxHumanLabeledObjects": definition.max_human_labeled_objects,
        "MaxLabeledPercentage": definition.max_labeled_percentage,
        "AutoLabelingTarget": definition.auto_labeling_target,
        "AutoLabelingSamplePercentage": definition.auto_labeling_sample_percentage,
    }
    return properties | {name: value for name, value in limits.items() if value is not None}


def _allow_ground_truth(function: iam.Role, name_prefix: str, workteam_arn: str) -> None:
    # SageMaker writes names in ARNs in lower case, and IAM compares them letter by letter.
    jobs = sorted(
        {arn("sagemaker", f"labeling-job/{p}-*") for p in (name_prefix, name_prefix.lower())}
    )
    allow(
        function,
        [
            "sagemaker:CreateLabelingJob",
            "sagemaker:DescribeLabelingJob",
            "sagemaker:StopLabelingJob",
            "sagemaker:AddTags",
            "sagemaker:DeleteTags",
        ],
        jobs,
        because="A job's name ends in a hash that each deployment makes anew",
    )
    allow(
        function,
        ["sagemaker:ListLabelingJobs"],
        ["*"],
        because="IAM knows no resource for a list, in which a started job is found again",
    )
    kind = "Subscribed" if _is_vendors(workteam_arn) else ""
    allow(function, [f"sagemaker:Describe{kind}Workteam"], [workteam_arn])


def _is_vendors(workteam_arn: str) -> bool:
    if cdk.Token.is_unresolved(workteam_arn):
        return False  # The stack's own.
    return Arn.parse(workteam_arn).team_kind is TeamKind.VENDOR


def _allow_preflight(
    function: iam.Role,
    dataset: Dataset,
    input_buckets: Sequence[str],
    role: iam.Role,
    encryption_key: kms.IKey | None,
) -> None:
    """Let the function look at everything that the job will need, before there is a job."""
    others = _bucket_arns(input_buckets)
    own = dataset.bucket.bucket_arn
    allow(function, ["s3:ListBucket", "s3:GetBucketCORS"], [own, *others])
    objects = [f"{own}/{prefix}/*" for prefix in (IMAGES_PREFIX, INPUT_PREFIX)]
    objects += [f"{bucket}/*" for bucket in others]
    allow(function, ["s3:GetObject"], objects, because=_OBJECTS_REASON)
    allow(function, ["iam:GetRole"], [role.role_arn])
    if encryption_key is not None:
        allow(function, ["kms:Decrypt"], [encryption_key.key_arn])


def _bucket_arns(names: Sequence[str]) -> list[str]:
    return [f"arn:{cdk.Aws.PARTITION}:s3:::{name}" for name in names]
