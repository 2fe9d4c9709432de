"""A SageMaker Studio domain with one user, for the workshop's notebook."""

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from stacks.constructs.functions import LabelingService
from stacks.policy import acknowledge, allow, allow_passing, arn, service_principal

USER_NAME = "sagemaker-user"
# What Studio's own pages do with the user's role.
# https://docs.aws.amazon.com/sagemaker/latest/dg/studio-updated-jl-admin-guide-permissions.html
_STUDIO_ACTIONS = [
    f"sagemaker:{verb}{noun}"
    for noun in ("App", "Space")
    for verb in ("Create", "Delete", "Describe")
] + ["sagemaker:UpdateSpace", "sagemaker:AddTags", "sagemaker:CreatePresignedDomainUrl"]


class Studio(Construct):
    """Domain, user profile and role; storage is each space's own volume and goes with it."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        bucket: s3.IBucket,
        encryption_key: kms.IKey | None,
        job_name_prefix: str,
        job_role: iam.IRole,
        service: LabelingService,
    ) -> None:
        super().__init__(scope, construct_id)
        role = iam.Role(
            self,
            "Role",
            assumed_by=service_principal("sagemaker"),
            description="What the workshop's notebook may do",
        )
        vpc = self._build_vpc()
        self._domain = sagemaker.CfnDomain(
            self,
            "Domain",
            domain_name=f"{name}-studio",
            auth_mode="IAM",
            vpc_id=vpc.vpc_id,
            subnet_ids=[subnet.subnet_id for subnet in vpc.isolated_subnets],
            # Without the shared file system there is none that outlives the domain: its deletion
            # by CloudFormation would keep it, and its network interfaces would hold the VPC.
            # https://docs.aws.amazon.com/sagemaker/latest/dg/gs-studio-delete-domain.html
            home_efs_file_system_creation="Disabled",
            default_user_settings=sagemaker.CfnDomain.UserSettingsProperty(
                execution_role=role.role_arn
            ),
        )
        profile = sagemaker.CfnUserProfile(
            self,
            "User",
            domain_id=self._domain.attr_domain_id,
            user_profile_name=USER_NAME,
            user_settings=sagemaker.CfnUserProfile.UserSettingsProperty(
                execution_role=role.role_arn
            ),
        )
        profile.apply_removal_policy(cdk.RemovalPolicy.DESTROY)
        self._domain.apply_removal_policy(cdk.RemovalPolicy.DESTROY)
        self._allow_studio(role)
        _allow_data(role, bucket, encryption_key)
        service.allow_calls(role)
        if service.function_arn is None:
            _allow_ground_truth(role, job_name_prefix)
        allow_passing(role, job_role)
        self.url = self._domain.attr_url

    def _build_vpc(self) -> ec2.Vpc:
        """Return two subnets with no way out: Studio's own traffic runs in the service's VPC."""
        vpc = ec2.Vpc(
            self,
            "Network",
            max_azs=2,
            nat_gateways=0,
            restrict_default_security_group=False,
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name="Studio", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=24
                )
            ],
        )
        acknowledge(
            vpc,
            "AwsSolutions-VPC7",
            "Studio asks for a VPC; nothing of ours runs in this one and no route leads out of it, "
            "so that flow logs would record nothing",
        )
        return vpc

    def _allow_studio(self, role: iam.Role) -> None:
        domain = self._domain.attr_domain_id
        allow(
            role,
            _STUDIO_ACTIONS,
            [arn("sagemaker", f"{kind}/{domain}/*") for kind in ("app", "space", "user-profile")],
            because="Apps and spaces of this one domain are named by whoever makes them",
        )
        allow(role, ["sagemaker:DescribeDomain"], [self._domain.attr_domain_arn])
        allow(
            role,
            ["sagemaker:DescribeUserProfile"],
            [arn("sagemaker", f"user-profile/{domain}/{USER_NAME}")],
        )
        allow(
            role,
            [f"sagemaker:List{kind}" for kind in ("Apps", "Domains", "Spaces", "UserProfiles")],
            ["*"],
            because="Studio's start page lists these, and IAM knows no resource for a list",
        )


def _allow_data(role: iam.Role, bucket: s3.IBucket, encryption_key: kms.IKey | None) -> None:
    allow(role, ["s3:ListBucket", "s3:GetBucketLocation"], [bucket.bucket_arn])
    allow(
        role,
        ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
        [f"{bucket.bucket_arn}/*"],
        because="The notebook works with whatever images and results the bucket has",
    )
    if encryption_key is not None:
        actions = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:DescribeKey"]
        allow(role, actions, [encryption_key.key_arn])


def _allow_ground_truth(role: iam.Role, job_name_prefix: str) -> None:
    """Let the notebook start jobs like the workshop's own."""
    prefixes = sorted({job_name_prefix, job_name_prefix.lower()})
    verbs = ("CreateLabelingJob", "DescribeLabelingJob", "StopLabelingJob", "AddTags")
    allow(
        role,
        [f"sagemaker:{verb}" for verb in verbs],
        [arn("sagemaker", f"labeling-job/{prefix}-*") for prefix in prefixes],
        because="A deployment and the notebook end the names of their jobs as they come",
    )
    allow(
        role,
        ["sagemaker:ListLabelingJobs"],
        ["*"],
        because="IAM knows no resource for the list that the notebook shows",
    )
