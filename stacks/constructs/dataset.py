"""The bucket: what a labeling job reads, and the room for its results."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import aws_cdk as cdk
import jsii
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as s3_assets
from aws_cdk import aws_s3_deployment as s3_deployment
from constructs import Construct

from groundwork.image_folder import IMAGE_SUFFIXES, ImageFolder
from stacks.constructs.functions import function_role, log_group
from stacks.paths import BUILD
from stacks.policy import acknowledge, allow

IMAGES_PREFIX = "images"
INPUT_PREFIX = "input"
OUTPUT_PREFIX = "output"
_MANIFEST, _LABELS, _TEMPLATE = "input.manifest", "labels.json", "template.liquid"
# Stands for the bucket's name in the manifest, which is known at deployment only.
_BUCKET_MARKER = "<<bucket-name>>"
_ONLY_IMAGES = ["*", "!*/", *(f"!*{s}" for s in IMAGE_SUFFIXES)]
_ONLY_IMAGES += [f"!*{suffix.upper()}" for suffix in IMAGE_SUFFIXES]
_AUTO_DELETE = "Custom::S3AutoDeleteObjectsCustomResourceProvider"


class Dataset(Construct):
    """Everything that a labeling job reads, and the place that it writes to.

    Parameters
    ----------
    images
        The images to upload; None when a manifest is in S3 already.
    manifest_uri
        That manifest; None when images are uploaded.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        images: ImageFolder | None,
        manifest_uri: str | None,
        labels: Sequence[str],
        template: str,
        encryption_key: kms.IKey | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.bucket = self._build_bucket(encryption_key)
        files = {
            _LABELS: json.dumps(
                {"document-version": "2018-11-28", "labels": [{"label": name} for name in labels]},
                ensure_ascii=False,
                indent=1,
            ),
            _TEMPLATE: template,
        }
        hashes = [manifest_uri or ""]
        uploads = []
        if images is not None:
            files[_MANIFEST] = _manifest(images.names)
            asset = _image_asset(self, images)
            hashes.append(asset.asset_hash)
            uploads.append(("UploadImages", asset, IMAGES_PREFIX))
        staged = _staged(files)
        hashes.append(staged.name)
        asset = s3_assets.Asset(self, "JobFiles", path=str(staged))
        uploads.append(("UploadJobFiles", asset, INPUT_PREFIX))
        self._upload(uploads, images.total_bytes if images else 0)
        self.input_hash = hashlib.sha256("\0".join(hashes).encode()).hexdigest()
        self.manifest_uri = manifest_uri or self._uri(f"{INPUT_PREFIX}/{_MANIFEST}")
        self.label_categories_uri = self._uri(f"{INPUT_PREFIX}/{_LABELS}")
        self.template_uri = self._uri(f"{INPUT_PREFIX}/{_TEMPLATE}")
        self.output_uri = self._uri(OUTPUT_PREFIX)

    def _uri(self, key: str) -> str:
        return f"s3://{self.bucket.bucket_name}/{key}"

    def _build_bucket(self, encryption_key: kms.IKey | None) -> s3.Bucket:
        logs = s3.Bucket(
            self,
            "AccessLogs",
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            lifecycle_rules=[s3.LifecycleRule(expiration=cdk.Duration.days(90))],
            removal_policy=cdk.RemovalPolicy.DESTROY,
            auto_delete_objects=True,
        )
        encryption = s3.BucketEncryption.KMS if encryption_key else s3.BucketEncryption.S3_MANAGED
        bucket = s3.Bucket(
            self,
            "Bucket",
            versioned=True,
            encryption=encryption,
            encryption_key=encryption_key,
            bucket_key_enabled=True if encryption_key else None,
            enforce_ssl=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            server_access_logs_bucket=logs,
            # The very rule that Ground Truth asks for; workers' browsers fetch images under it.
            # https://docs.aws.amazon.com/sagemaker/latest/dg/sms-cors-update.html
            cors=[
                s3.CorsRule(
                    allowed_headers=[],
                    allowed_methods=[s3.HttpMethods.GET],
                    allowed_origins=["*"],
                    exposed_headers=["Access-Control-Allow-Origin"],
                )
            ],
            # Jobs name their own folders below output/, so intermediates can't be told by prefix;
            # what a job overwrites again and again is, as old versions.
            lifecycle_rules=[
                s3.LifecycleRule(
                    abort_incomplete_multipart_upload_after=cdk.Duration.days(7),
                    noncurrent_version_expiration=cdk.Duration.days(30),
                    expired_object_delete_marker=True,
                )
            ],
            removal_policy=cdk.RemovalPolicy.DESTROY,
            auto_delete_objects=True,
        )
        _keep_no_logs_of_the_emptying_function(cdk.Stack.of(self))
        return bucket

    def _upload(self, uploads: list[tuple[str, s3_assets.Asset, str]], total_bytes: int) -> None:
        """Copy archives into the bucket; one function of CDK's does them all."""
        logged_to = log_group(self, "UploadLogs")
        role = function_role(self, "UploadRole", logged_to)
        mebibytes = total_bytes // 1024**2
        for construct_id, asset, prefix in uploads:
            s3_deployment.BucketDeployment(
                self,
                construct_id,
                sources=[_Archive(asset, {_BUCKET_MARKER: self.bucket.bucket_name})],
                destination_bucket=self.bucket,
                destination_key_prefix=prefix,
                # People's results and other jobs' files are in this bucket, too.
                prune=False,
                memory_limit=512 if mebibytes < 256 else 2048,
                # The archive and what is in it lie there side by side; images hardly compress.
                ephemeral_storage_size=cdk.Size.mebibytes(max(512, 2 * mebibytes + 256)),
                log_group=logged_to,
                # CDK would let it read every asset, and delete what is in the bucket.
                role=role.without_policy_updates(),
            )
        self._allow_upload(role, uploads)
        for each in cdk.Stack.of(self).node.children:
            if each.node.id.startswith("Custom::CDKBucketDeployment"):
                reason = "CDK sets the runtime of its upload function, and moves it on"
                acknowledge(each, "AwsSolutions-L1", reason)

    def _allow_upload(
        self, role: iam.Role, uploads: Sequence[tuple[str, s3_assets.Asset, str]]
    ) -> None:
        archives = [f"{asset.bucket.bucket_arn}/{asset.s3_object_key}" for _, asset, _ in uploads]
        allow(role, ["s3:GetObject"], archives)
        allow(role, ["s3:ListBucket"], [self.bucket.bucket_arn])
        allow(
            role,
            ["s3:PutObject", "s3:AbortMultipartUpload"],
            [f"{self.bucket.bucket_arn}/{prefix}/*" for _, _, prefix in uploads],
            because="CDK's upload function writes image names that are the customer's to choose",
        )
        if self.bucket.encryption_key is not None:
            # Parts of an upload are read again when they are put together.
            actions = ["kms:GenerateDataKey", "kms:Decrypt"]
            allow(role, actions, [self.bucket.encryption_key.key_arn])


@jsii.implements(s3_deployment.ISource)
class _Archive:
    """An asset as the source of an upload, with texts to put in place of markers.

    CDK's own `Source.data` makes one marker of each place that a name occurs in, which a manifest
    of some thousand lines takes over the limits of a template.
    """

    def __init__(self, asset: s3_assets.Asset, markers: dict[str, str]) -> None:
        self._asset = asset
        self._markers = markers

    def bind(self, _scope: Construct, *, handler_role: iam.IRole) -> s3_deployment.SourceConfig:
        """Say where the archive is; the upload function's rights are given with its role."""
        del handler_role
        return s3_deployment.SourceConfig(
            bucket=self._asset.bucket,
            zip_object_key=self._asset.s3_object_key,
            markers=self._markers,
        )


def _image_asset(scope: Construct, images: ImageFolder) -> s3_assets.Asset:
    return s3_assets.Asset(
        scope,
        "Images",
        path=str(images.path),
        exclude=_ONLY_IMAGES,
        ignore_mode=cdk.IgnoreMode.GIT,
        follow_symlinks=cdk.SymlinkFollowMode.ALWAYS,
    )


def _manifest(names: Sequence[str]) -> str:
    uri = f"s3://{_BUCKET_MARKER}/{IMAGES_PREFIX}/"
    return "".join(
        json.dumps({"source-ref": uri + name}, ensure_ascii=False) + "\n" for name in names
    )


def _staged(files: dict[str, str]) -> Path:
    """Write files into a folder that is named by their content."""
    digest = hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()
    folder = BUILD / "job-files" / digest[:32]
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def _keep_no_logs_of_the_emptying_function(stack: cdk.Stack) -> None:
    """Give CDK's emptying function a log group of the stack's, and no right to make another."""
    provider = stack.node.try_find_child(_AUTO_DELETE)
    if not isinstance(provider, Construct):
        raise LookupError(f"{_AUTO_DELETE}: CDK has renamed the construct that empties buckets")
    logged_to = log_group(provider)
    handler, role = provider.node.find_child("Handler"), provider.node.find_child("Role")
    if not isinstance(handler, cdk.CfnResource) or not isinstance(role, cdk.CfnResource):
        raise TypeError(f"{_AUTO_DELETE}: CDK makes its parts of other types now")
    handler.add_property_override("LoggingConfig", {"LogGroup": logged_to.log_group_name})
    role.add_property_deletion_override("ManagedPolicyArns")
    role.add_property_override(
        "Policies",
        [
            {
                "PolicyName": "Logs",
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                            "Resource": logged_to.log_group_arn,
                        }
                    ],
                },
            }
        ],
    )
