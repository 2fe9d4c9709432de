"""What the workshop's stack deploys, on either engine."""

import json
from itertools import pairwise
from typing import Any

import pytest

from groundwork.contract.builtin_tasks import REGION_ACCOUNTS
from stacks import outputs
from tests.support.synthesis import Assembly
from tests.support.templates import Template, allowed, conditions, flatten
from tests.synth.conftest import KEY, VENDOR_TEAM

_WORKFORCE_TYPES = {
    "ground-truth": ("AWS::SageMaker::Workforce", "AWS::SageMaker::Workteam"),
    "open": ("Custom::Workforce", "Custom::Workteam"),
}


@pytest.fixture(params=["ground-truth", "open"])
def workshop(request: pytest.FixtureRequest, synthesized: Any) -> Template:
    """Run a test on the workshop of both engines."""
    found: Assembly = synthesized(request.param)
    return found.workshop


def _images_bucket(template: Template) -> tuple[str, dict[str, Any]]:
    (found,) = (
        (logical_id, resource["Properties"])
        for logical_id, resource in template.all("AWS::S3::Bucket").items()
        if "CorsConfiguration" in resource["Properties"]
    )
    return found


def _job(template: Template) -> dict[str, Any]:
    properties: dict[str, Any] = flatten(template.one("Custom::LabelingJob"))
    return properties


def _job_role(template: Template) -> dict[str, Any]:
    arn = template.one("Custom::LabelingJob")["RoleArn"]
    role: dict[str, Any] = template.body["Resources"][arn["Fn::GetAtt"][0]]["Properties"]
    return role


def _rights_of(template: Template, description: str) -> dict[str, set[str]]:
    return allowed(template.rights(template.function(description)["Role"]))


def _without_logging(rights: dict[str, set[str]]) -> dict[str, set[str]]:
    return {action: on for action, on in rights.items() if not action.startswith("logs:")}


def test_images_are_private_versioned_and_readable_by_workers_browsers(workshop: Template) -> None:
    """The bucket has the very CORS rule that Ground Truth asks for, and nothing public."""
    _, bucket = _images_bucket(workshop)

    assert bucket["CorsConfiguration"]["CorsRules"] == [
        {
            "AllowedHeaders": [],
            "AllowedMethods": ["GET"],
            "AllowedOrigins": ["*"],
            "ExposedHeaders": ["Access-Control-Allow-Origin"],
        }
    ]
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert "DestinationBucketName" in bucket["LoggingConfiguration"]
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"] == [
        {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    ]
    (rule,) = bucket["LifecycleConfiguration"]["Rules"]
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}


def test_every_bucket_refuses_requests_without_tls(each_variant: Assembly) -> None:
    """Plain HTTP is denied by the bucket itself."""
    for policy in each_variant.workshop.all("AWS::S3::BucketPolicy").values():
        statements = policy["Properties"]["PolicyDocument"]["Statement"]
        assert any(
            statement["Effect"] == "Deny"
            and statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
            for statement in statements
        )


def test_images_and_job_files_are_uploaded_and_nothing_is_pruned(workshop: Template) -> None:
    """Results lie in the same bucket, so that an upload must not tidy it up."""
    uploads = [each["Properties"] for each in workshop.all("Custom::CDKBucketDeployment").values()]

    assert {each["DestinationBucketKeyPrefix"] for each in uploads} == {"images", "input"}
    assert {each["Prune"] for each in uploads} == {False}


def test_the_manifest_names_each_image_in_the_bucket_to_be(ground_truth: Assembly) -> None:
    """One line per image; the bucket's name is filled in at deployment."""
    (upload,) = (
        each["Properties"]
        for each in ground_truth.workshop.all("Custom::CDKBucketDeployment").values()
        if each["Properties"]["DestinationBucketKeyPrefix"] == "input"
    )
    files = _staged(ground_truth, upload["SourceObjectKeys"][0])
    lines = [json.loads(line) for line in files["input.manifest"].splitlines()]

    (markers,) = upload["SourceMarkers"]
    ((marker, bucket),) = markers.items()
    assert bucket == {"Ref": _images_bucket(ground_truth.workshop)[0]}
    assert len(lines) == 30
    assert lines[0] == {"source-ref": f"s3://{marker}/images/sample-00000.jpg"}
    assert json.loads(files["labels.json"])["labels"] == [
        {"label": "Beacon"},
        {"label": "Comet"},
        {"label": "Harbor"},
    ]
    assert "crowd-bounding-box" in files["template.liquid"]


def _staged(assembly: Assembly, object_key: str) -> dict[str, str]:
    folder = assembly.folder / f"asset.{object_key.removesuffix('.zip')}"
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


def test_nobody_signs_up_by_himself_and_passwords_are_strong(workshop: Template) -> None:
    """Workers are invited."""
    pool = workshop.one("AWS::Cognito::UserPool")

    assert pool["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}
    assert pool["Policies"]["PasswordPolicy"] == {
        "MinimumLength": 12,
        "RequireLowercase": True,
        "RequireNumbers": True,
        "RequireSymbols": True,
        "RequireUppercase": True,
        "TemporaryPasswordValidityDays": 7,
    }
    assert pool["UsernameConfiguration"] == {"CaseSensitive": False}


def test_the_client_has_a_secret_and_the_code_flow(workshop: Template) -> None:
    """What Ground Truth needs of an app client, and no weaker flow."""
    client = workshop.one("AWS::Cognito::UserPoolClient")

    assert client["GenerateSecret"] is True
    assert client["AllowedOAuthFlows"] == ["code"]
    assert client["AllowedOAuthFlowsUserPoolClient"] is True
    assert sorted(client["AllowedOAuthScopes"]) == ["email", "openid", "profile"]
    assert client["SupportedIdentityProviders"] == ["COGNITO"]
    # Whether there is a user of some name, a wrong password does not tell.
    assert client["PreventUserExistenceErrors"] == "ENABLED"
    assert client["ClientName"] == "Groundwork-portal"


@pytest.mark.parametrize("engine", ["ground-truth", "open"])
def test_workforce_and_team_are_native_types_where_there_is_the_service(
    synthesized: Any, engine: str
) -> None:
    """The open engine, which CloudFormation doesn't know, has the same properties."""
    template: Template = synthesized(engine).workshop
    workforce_type, team_type = _WORKFORCE_TYPES[engine]
    pool = {"Ref": template.logical_id("AWS::Cognito::UserPool")}
    client = {"Ref": template.logical_id("AWS::Cognito::UserPoolClient")}
    group = {"Ref": template.logical_id("AWS::Cognito::UserPoolGroup")}

    workforce = template.one(workforce_type)
    team = template.one(team_type)

    assert workforce["WorkforceName"] == team["WorkforceName"] == team["WorkteamName"]
    assert workforce["CognitoConfig"] == {"ClientId": client, "UserPool": pool}
    assert team["MemberDefinitions"] == [
        {
            "CognitoMemberDefinition": {
                "CognitoClientId": client,
                "CognitoUserGroup": group,
                "CognitoUserPool": pool,
            }
        }
    ]
    assert team["NotificationConfiguration"] == {
        "NotificationTopicArn": {"Ref": template.logical_id("AWS::SNS::Topic")}
    }
    other = _WORKFORCE_TYPES["open" if engine == "ground-truth" else "ground-truth"]
    assert not any(template.all(resource_type) for resource_type in other)


@pytest.mark.parametrize("engine", ["ground-truth", "open"])
def test_the_stack_is_destroyed_from_the_job_to_the_pool(synthesized: Any, engine: str) -> None:
    """What depends on another goes first: job, team, workforce, sign-in page, pool."""
    template: Template = synthesized(engine).workshop
    workforce_type, team_type = _WORKFORCE_TYPES[engine]
    order = [
        "Custom::LabelingJob",
        "Custom::WorkerAccess",
        team_type,
        workforce_type,
        "AWS::Cognito::UserPoolDomain",
        "AWS::Cognito::UserPool",
    ]

    for later, earlier in pairwise(order):
        assert template.depends_on(template.logical_id(later), template.logical_id(earlier))
    job = template.logical_id("Custom::LabelingJob")
    for emptied in template.all("Custom::S3AutoDeleteObjects"):
        assert template.depends_on(job, emptied)


def test_the_pool_is_open_to_the_portal(workshop: Template) -> None:
    """By its tag: the portal's role sees no other pool of the account."""
    assert workshop.one("AWS::Cognito::UserPool")["UserPoolTags"]["groundwork"] == "workforce"


def test_the_team_topic_takes_notices_from_this_accounts_teams_only(
    ground_truth: Assembly,
) -> None:
    """Ground Truth publishes as a service; nobody else's teams may."""
    topic = ground_truth.workshop.one("AWS::SNS::TopicPolicy")
    statements = flatten(topic["PolicyDocument"]["Statement"])
    (notices,) = (each for each in statements if each["Effect"] == "Allow")

    assert notices["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    assert notices["Action"] == "sns:Publish"
    assert notices["Condition"] == {
        "ArnLike": {
            "aws:SourceArn": "arn:<AWS::Partition>:sagemaker:<AWS::Region>:<AWS::AccountId>"
            ":workteam/*"
        },
        "StringEquals": {"aws:SourceAccount": "<AWS::AccountId>"},
    }


def test_workers_are_invited_and_told_about_jobs(workshop: Template) -> None:
    """One resource sees to sign-in addresses, invitations and subscriptions."""
    access = flatten(workshop.one("Custom::WorkerAccess"))

    assert access["WorkerEmails"] == ["ana@example.com", "minsu@example.com"]
    assert access["ManageClient"] == "true"
    assert _without_logging(_rights_of(workshop, "Sign-in addresses")) == {
        **{
            f"cognito-idp:{action}": {
                "arn:<AWS::Partition>:cognito-idp:<AWS::Region>:<AWS::AccountId>:userpool/<>"
            }
            for action in (
                "AdminAddUserToGroup",
                "AdminCreateUser",
                "AdminDeleteUser",
                "AdminGetUser",
                "AdminListGroupsForUser",
                "AdminRemoveUserFromGroup",
                "CreateGroup",
                "DeleteGroup",
                "DescribeUserPool",
                "DescribeUserPoolClient",
                "GetUserPoolMfaConfig",
                "ListUsers",
                "ListUsersInGroup",
                "SetUserPoolMfaConfig",
                "UpdateUserPool",
                "UpdateUserPoolClient",
            )
        },
        "sns:Subscribe": {"<>"},
        "sns:ListSubscriptionsByTopic": {"<>"},
        "sns:Unsubscribe": {"*"},
    }


def test_the_service_may_use_the_jobs_role_for_this_account_only(ground_truth: Assembly) -> None:
    """Another account's job can't talk the service into using this role."""
    (trust,) = flatten(_job_role(ground_truth.workshop)["AssumeRolePolicyDocument"]["Statement"])

    assert trust == {
        "Action": "sts:AssumeRole",
        "Effect": "Allow",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
        "Condition": {"StringEquals": {"aws:SourceAccount": "<AWS::AccountId>"}},
    }


def test_the_engines_functions_may_use_the_jobs_role(open_engine: Assembly) -> None:
    """Its four functions, and no service."""
    trust = flatten(_job_role(open_engine.workshop)["AssumeRolePolicyDocument"]["Statement"])

    principals = [principal for each in trust for principal in _listed(each["Principal"]["AWS"])]
    assert principals == ["<imported>"] * 4
    assert {each["Action"] for each in trust} == {"sts:AssumeRole"}
    assert not any("Service" in each["Principal"] for each in trust)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


_DATA_RIGHTS = {
    "s3:ListBucket": {"<.Arn>"},
    "s3:GetObject": {"<.Arn>/images/*", "<.Arn>/input/*", "<.Arn>/output/*"},
    "s3:PutObject": {"<.Arn>/output/*"},
    "s3:AbortMultipartUpload": {"<.Arn>/output/*"},
}


def test_a_job_reads_its_input_and_writes_its_output(
    ground_truth: Assembly, open_engine: Assembly
) -> None:
    """On the managed service it also writes metrics and logs; the open engine does so itself."""
    managed = ground_truth.workshop
    ours = open_engine.workshop

    assert allowed(ours.rights(ours.one("Custom::LabelingJob")["RoleArn"])) == _DATA_RIGHTS
    assert allowed(managed.rights(managed.one("Custom::LabelingJob")["RoleArn"])) == {
        **_DATA_RIGHTS,
        "s3:GetBucketLocation": {"<.Arn>"},
        "cloudwatch:PutMetricData": {"*"},
        **{
            f"logs:{action}": {
                "arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>"
                ":log-group:/aws/sagemaker/*"
            }
            for action in (
                "CreateLogGroup",
                "CreateLogStream",
                "DescribeLogStreams",
                "PutLogEvents",
            )
        },
    }


def test_the_jobs_function_may_run_this_workshops_jobs_only(ground_truth: Assembly) -> None:
    """By name, in both spellings that an ARN may have; the role can be passed to SageMaker only."""
    template = ground_truth.workshop
    rights = _rights_of(template, "Starts and stops the labeling job")
    prefix = "arn:<AWS::Partition>:sagemaker:<AWS::Region>:<AWS::AccountId>:labeling-job/"
    jobs = {f"{prefix}Groundwork-*", f"{prefix}groundwork-*"}

    for action in ("Create", "Describe", "Stop"):
        assert rights[f"sagemaker:{action}LabelingJob"] == jobs
    assert rights["sagemaker:AddTags"] == rights["sagemaker:DeleteTags"] == jobs
    assert rights["sagemaker:DescribeWorkteam"] == {"<>"}
    assert rights["iam:PassRole"] == rights["iam:GetRole"] == {"<.Arn>"}
    assert rights["s3:GetObject"] == {"<.Arn>/images/*", "<.Arn>/input/*"}
    role = template.function("Starts and stops the labeling job")["Role"]
    assert conditions(template.rights(role), "iam:PassRole") == {
        "StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}
    }


@pytest.mark.parametrize("description", ["Starts and stops", "Workforce and work team"])
def test_functions_call_the_open_engine_by_its_url(open_engine: Assembly, description: str) -> None:
    """The SDK's own setting names the endpoint; no right for SageMaker is left."""
    template = open_engine.workshop
    function = template.function(description)
    rights = template.rights(function["Role"])

    variables = flatten(function["Environment"]["Variables"])
    assert variables == {"AWS_ENDPOINT_URL_SAGEMAKER": "<imported>"}
    assert allowed(rights)["lambda:InvokeFunctionUrl"] == {"<imported>"}
    assert allowed(rights)["lambda:InvokeFunction"] == {"<imported>"}
    assert conditions(rights, "lambda:InvokeFunction") == {
        "Bool": {"lambda:InvokedViaFunctionUrl": "true"}
    }
    assert not [action for action in allowed(rights) if action.startswith("sagemaker:")]


def test_the_job_is_what_was_configured(workshop: Template) -> None:
    """Every property that the custom resource reads, and its own engine."""
    job = _job(workshop)
    functions = "arn:<AWS::Partition>:lambda:<AWS::Region>:"

    assert job["NamePrefix"] == "Groundwork"
    assert job["TaskType"] == "BoundingBox"
    assert job["InputManifestUri"] == "s3://<>/input/input.manifest"
    assert job["LabelCategoryConfigUri"] == "s3://<>/input/labels.json"
    assert job["UiTemplateUri"] == "s3://<>/input/template.liquid"
    assert job["OutputPath"] == "s3://<>/output"
    assert job["LabelAttributeName"] == "label"
    assert job["AutoLabeling"] == "false"
    assert "AlgorithmArn" not in job
    assert (job["WorkersPerObject"], job["BatchSize"], job["TaskTimeLimitSeconds"]) == (
        1,
        1000,
        300,
    )
    assert len(job["InputHash"]) == 64
    if job["Engine"] == "open":
        assert job["PreLambdaArn"] == f"{functions}432418664414:function:PRE-BoundingBox"
        assert job["Tags"] == {"team": "vision"}
    else:
        assert job["PreLambdaArn"].startswith(functions)
        assert job["PreLambdaArn"].endswith(":function:PRE-BoundingBox")
        assert job["ConsolidationLambdaArn"].endswith(":function:ACS-BoundingBox")


def test_regions_without_ground_truth_are_refused_by_the_template(ground_truth: Assembly) -> None:
    """One table serves the rule and the built-in functions' accounts."""
    body = ground_truth.workshop.body
    (rule,) = (each for name, each in body["Rules"].items() if name == "RegionHasGroundTruth")
    (mapping,) = body["Mappings"].values()

    (assertion,) = rule["Assertions"]
    assert assertion["Assert"] == {"Fn::Contains": [list(REGION_ACCOUNTS), {"Ref": "AWS::Region"}]}
    assert {region: row["Account"] for region, row in mapping.items()} == dict(REGION_ACCOUNTS)


def test_the_open_engine_runs_in_every_region(open_engine: Assembly) -> None:
    """Neither the rule nor the table is in its way."""
    for template in open_engine.templates.values():
        assert "RegionHasGroundTruth" not in template.body.get("Rules", {})
        assert "Mappings" not in template.body


def test_outputs_are_named_once_for_all_who_read_them(workshop: Template) -> None:
    """Eight outputs under exactly these names, and one for what only Ground Truth's has."""
    dashboards = workshop.all("AWS::CloudWatch::Dashboard")
    assert set(workshop.outputs) - ({outputs.DASHBOARD_URL} if dashboards else set()) == {
        outputs.PORTAL_URL,
        outputs.BUCKET_NAME,
        outputs.WORKTEAM_ARN,
        outputs.LABELING_JOB_NAME,
        outputs.LABELING_JOB_ARN,
        outputs.OUTPUT_MANIFEST,
        outputs.CONSOLE_URL,
        outputs.PROGRESS_COMMAND,
    }


def test_the_progress_command_can_be_pasted(ground_truth: Assembly, open_engine: Assembly) -> None:
    """For the open engine it calls the function, which needs no special signature."""
    managed, ours = (
        flatten(assembly.workshop.outputs[outputs.PROGRESS_COMMAND]["Value"])
        for assembly in (ground_truth, open_engine)
    )
    payload = ours.partition("--payload '")[2].partition("'")[0]

    assert managed.startswith("aws sagemaker describe-labeling-job --labeling-job-name <")
    assert json.loads(payload)["headers"] == {"x-amz-target": "SageMaker.DescribeLabelingJob"}
    assert list(json.loads(json.loads(payload)["body"])) == ["LabelingJobName"]


def test_adopting_adds_a_group_and_a_team_to_the_workforce_that_is_there(
    adopting: Assembly,
) -> None:
    """No pool, domain, client or workforce of its own; the service's types where it is there."""
    template = adopting.workshop

    for absent in ("UserPool", "UserPoolClient", "UserPoolDomain"):
        assert not template.all(f"AWS::Cognito::{absent}")
    assert not template.all("AWS::SageMaker::Workforce")
    found = template.logical_id("Custom::AdoptedWorkforce")
    pool = {"Fn::GetAtt": [found, "UserPool"]}
    assert template.one("AWS::Cognito::UserPoolGroup")["UserPoolId"] == pool
    team = template.one("AWS::SageMaker::Workteam")
    assert team["WorkforceName"] == {"Fn::GetAtt": [found, "WorkforceName"]}
    assert template.one("Custom::WorkerAccess")["ManageClient"] == "false"
    rights = _rights_of(template, "Workforce and work team")
    assert _without_logging(rights) == {"sagemaker:ListWorkforces": {"*"}}
    access = _rights_of(template, "Sign-in")
    assert access["cognito-idp:AdminCreateUser"] == {
        "arn:<AWS::Partition>:cognito-idp:<AWS::Region>:<AWS::AccountId>:userpool/<.UserPool>"
    }
    assert not [action for action in access if action.startswith("cognito-idp:Update")]


def test_a_vendors_team_is_used_and_none_is_made(vendor: Assembly) -> None:
    """No workforce, no team, no portal of ours, nobody invited."""
    template = vendor.workshop

    types = {resource["Type"] for resource in template.body["Resources"].values()}
    assert not [name for name in types if "Cognito" in name or "Work" in name or "SNS" in name]
    assert _job(template)["WorkteamArn"] == VENDOR_TEAM
    assert outputs.PORTAL_URL not in template.outputs
    assert _rights_of(template, "Starts and stops")["sagemaker:DescribeSubscribedWorkteam"] == {
        VENDOR_TEAM
    }


def test_a_manifest_in_s3_opens_its_buckets_to_the_job(vendor: Assembly) -> None:
    """Its own bucket and those that it names, for reading."""
    template = vendor.workshop
    theirs = {"arn:<AWS::Partition>:s3:::photos", "arn:<AWS::Partition>:s3:::more-photos"}
    rights = allowed(template.rights(template.one("Custom::LabelingJob")["RoleArn"]))

    assert _job(template)["InputManifestUri"] == "s3://photos/batch-7/input.manifest"
    assert rights["s3:ListBucket"] == {"<.Arn>", *theirs}
    assert {f"{bucket}/*" for bucket in theirs} < rights["s3:GetObject"]
    assert rights["s3:PutObject"] == {"<.Arn>/output/*"}
    (upload,) = template.all("Custom::CDKBucketDeployment").values()
    assert upload["Properties"]["DestinationBucketKeyPrefix"] == "input"


def test_automated_labeling_is_asked_for_and_allowed(vendor: Assembly) -> None:
    """The algorithm of the task, and a role that may train with itself."""
    template = vendor.workshop
    statements = template.rights(template.one("Custom::LabelingJob")["RoleArn"])

    assert _job(template)["AutoLabeling"] == "true"
    assert _job(template)["AlgorithmArn"].endswith(
        ":027400017018:labeling-job-algorithm-specification/image-classification"
    )
    assert allowed(statements)["iam:PassRole"] == {"<.Arn>"}
    assert conditions(statements, "iam:PassRole") == {
        "StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}
    }
    assert {"sagemaker:CreateTrainingJob", "sagemaker:StopTransformJob"} < set(allowed(statements))


def test_the_open_engine_is_told_what_automated_labels_have_to_be(open_adopting: Assembly) -> None:
    """Its own functions learn: the job's role trains nothing."""
    template = open_adopting.workshop
    job = _job(template)

    assert job["AutoLabeling"] == "true"
    assert job["AutoLabelingTarget"] == 0.7
    assert job["AutoLabelingSamplePercentage"] == 5
    assert "labeling-job-algorithm-specification/object-detection" in json.dumps(
        job["AlgorithmArn"]
    )
    rights = allowed(template.rights(template.one("Custom::LabelingJob")["RoleArn"]))
    assert {action.partition(":")[0] for action in rights} == {"s3", "kms"}


def test_a_key_encrypts_the_bucket_and_the_results(
    adopting: Assembly, open_adopting: Assembly
) -> None:
    """The job's role may use it, and the job is told."""
    template = adopting.workshop
    _, bucket = _images_bucket(template)
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]

    assert rule["ServerSideEncryptionByDefault"] == {
        "KMSMasterKeyID": KEY,
        "SSEAlgorithm": "aws:kms",
    }
    assert _job(template)["KmsKeyArn"] == KEY
    rights = allowed(template.rights(template.one("Custom::LabelingJob")["RoleArn"]))
    for action in ("Encrypt", "Decrypt", "ReEncrypt*", "GenerateDataKey*", "DescribeKey"):
        assert rights[f"kms:{action}"] == {KEY}
    ours = open_adopting.workshop
    rights = allowed(ours.rights(ours.one("Custom::LabelingJob")["RoleArn"]))
    assert {action for action in rights if action.startswith("kms:")} == {
        "kms:Decrypt",
        "kms:GenerateDataKey",
    }


def test_studio_leaves_no_file_system_and_has_no_way_out(adopting: Assembly) -> None:
    """One user; no home file system to outlive the domain, no gateway that costs by the hour."""
    template = adopting.workshop
    domain = template.one("AWS::SageMaker::Domain")

    assert template.one("AWS::SageMaker::UserProfile")["UserProfileName"] == "sagemaker-user"
    assert domain["HomeEfsFileSystemCreation"] == "Disabled"
    assert domain["AuthMode"] == "IAM"
    assert len(domain["SubnetIds"]) == 2
    for absent in ("NatGateway", "InternetGateway", "EIP", "SecurityGroup"):
        assert not template.all(f"AWS::EC2::{absent}")
    assert outputs.STUDIO_URL in template.outputs


def test_the_notebook_may_use_bucket_and_job(synthesized: Any) -> None:
    """On either engine, and nothing beyond the workshop's own."""
    for variant, name in (("adopt", "Groundwork"), ("open-adopt", "Logos")):
        template: Template = synthesized(variant).workshop
        settings = template.one("AWS::SageMaker::UserProfile")["UserSettings"]
        rights = allowed(template.rights(settings["ExecutionRole"]))

        assert rights["s3:GetObject"] == rights["s3:PutObject"] == {"<.Arn>/*"}
        assert rights["iam:PassRole"] == {"<.Arn>"}
        if variant == "adopt":
            for action in ("Create", "Describe", "Stop"):
                assert f"/{name}-*" in " ".join(rights[f"sagemaker:{action}LabelingJob"])
            assert "lambda:InvokeFunctionUrl" not in rights
        else:
            assert rights["lambda:InvokeFunctionUrl"] == {"<imported>"}
            assert "sagemaker:DescribeLabelingJob" not in rights


def test_tags_are_on_resources_and_the_workshop_has_its_name(synthesized: Any) -> None:
    """The name is the stack's, the team's and the beginning of the job's."""
    tagged = _images_bucket(synthesized("open").workshop)[1]["Tags"]
    named = synthesized("open-adopt").templates["Logos"]

    assert {"Key": "team", "Value": "vision"} in tagged
    assert named.one("Custom::LabelingJob")["NamePrefix"] == "Logos"
    assert named.one("Custom::Workteam")["WorkteamName"] == "Logos"
