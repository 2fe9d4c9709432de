"""Every correction of the emulator works, and is still needed.

Two emulators enforce IAM policies: one as MiniStack ships it, one corrected. The same probes run on
both. When the first answers as AWS does, MiniStack has been mended and the correction can go.
"""

import importlib.metadata
import io
import json
import os
import subprocess
import sys
import tarfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from boto3.dynamodb.conditions import ConditionBase, ConditionExpressionBuilder, Key

from groundwork.local import corrections
from groundwork.local.cloud import LocalCloud
from groundwork.local.emulator import ACCOUNT, answers, free_port

FIRST_PORT = 4750
PROJECT = Path(__file__).parents[2]
CDK = Path(str(importlib.metadata.distribution("aws-cdk-lib").locate_file("aws_cdk")))

FUNCTIONS = {
    "Echo": "def handler(event, context):\n    return event",
    "Failing": (
        "class TooTiredError(Exception):\n    pass\n"
        "def handler(event, context):\n    raise TooTiredError('two problems:\\n  one: a\\n  b: c')"
    ),
    "Assuming": (
        "import boto3\ndef handler(event, context):\n"
        "    boto3.client('sts').assume_role(RoleArn=event['role'], RoleSessionName='session')\n"
        "    return 'assumed'"
    ),
    "Writing": (
        "import boto3\ndef handler(event, context):\n"
        "    boto3.client('s3').put_object(Bucket=event['bucket'], Key='k', Body=b'')\n"
        "    return 'written'"
    ),
    "Answering": (
        "import boto3\ndef handler(event, context):\n"
        "    boto3.client('stepfunctions').send_task_success(taskToken=event['token'], output='1')"
    ),
    "Measuring": (
        "import json, time\ndef handler(event, context):\n"
        "    metrics = {'Namespace': 'Probe', 'Dimensions': [[], ['Room']],\n"
        "               'Metrics': [{'Name': 'Heat', 'Unit': 'Count'}]}\n"
        "    aws = {'Timestamp': int(time.time() * 1000), 'CloudWatchMetrics': [metrics]}\n"
        "    print(json.dumps({'_aws': aws, 'Room': 'kitchen', 'Heat': 3}))"
    ),
    "Describing": (
        "import boto3\ndef handler(event, context):\n"
        "    boto3.client('cognito-idp').describe_user_pool(UserPoolId=event['pool'])\n"
        "    return 'described'"
    ),
    "Simulating": (
        "import boto3\ndef handler(event, context):\n"
        "    answer = boto3.client('iam').simulate_principal_policy(\n"
        f"        PolicySourceArn='arn:aws:iam::{ACCOUNT}:role/function-role',\n"
        "        ActionNames=['iam:PassRole'],\n"
        f"        ResourceArns=['arn:aws:iam::{ACCOUNT}:role/guarded-role'],\n"
        "        ContextEntries=[{'ContextKeyName': 'iam:PassedToService',\n"
        "            'ContextKeyValues': [event['service']], 'ContextKeyType': 'string'}])\n"
        "    return answer['EvaluationResults'][0]['EvalDecision']"
    ),
    "Called": (
        "def handler(event, context):\n"
        "    return event['requestContext'].get('authorizer', {}).get('iam', {}).get('userArn')"
    ),
    "Lingering": "import time\ndef handler(event, context):\n    time.sleep(1)",
    "Layered": (
        "def handler(event, context):\n    try:\n        import from_foreign_layer\n"
        "    except ImportError:\n        return 'left out'\n    return 'unpacked'"
    ),
}


def role(name: str, principal: dict[str, Any], statements: list[Any], **condition: Any) -> Any:
    trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **condition}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "RoleName": name,
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "Policies": [
                {
                    "PolicyName": "p",
                    "PolicyDocument": {"Version": "2012-10-17", "Statement": statements},
                }
            ],
        },
    }


FUNCTION_ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/function-role"
TOKEN_MACHINE_ARN = f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:token-probe"
TOKEN_MACHINE = {
    "StartAt": "Ask",
    "States": {
        "Ask": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
            "Parameters": {
                "FunctionName": "Answering",
                "Payload": {"token.$": "$$.Task.Token"},
            },
            "End": True,
        }
    },
}
RESTART_MACHINE = {
    "StartAt": "Pass",
    "States": {
        "Pass": {"Type": "Pass", "Result": {"passed": "once"}, "Next": "Rest"},
        "Rest": {"Type": "Wait", "Seconds": 2, "Next": "Done"},
        "Done": {"Type": "Succeed"},
    },
}
ALLOW_ANSWERS = {
    "Effect": "Allow",
    "Action": "states:SendTaskSuccess",
    "Resource": TOKEN_MACHINE_ARN,
}
ALLOW_TAGGED = {
    "Effect": "Allow",
    "Action": "cognito-idp:DescribeUserPool",
    "Resource": "*",
    "Condition": {"StringEquals": {"aws:ResourceTag/purpose": "probe"}},
}
ALLOW_PASSING = {
    "Effect": "Allow",
    "Action": "iam:PassRole",
    "Resource": f"arn:aws:iam::{ACCOUNT}:role/guarded-role",
    "Condition": {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
}
ALLOW_SIMULATION = {
    "Effect": "Allow",
    "Action": "iam:SimulatePrincipalPolicy",
    "Resource": FUNCTION_ROLE_ARN,
}
ALLOW_ALL = {"Effect": "Allow", "Action": ["s3:*", "sts:AssumeRole"], "Resource": "*"}
TEMPLATE: dict[str, Any] = {
    "Resources": {
        "Bucket": {
            "Type": "AWS::S3::Bucket",
            "Properties": {
                "BucketName": "probe",
                "Tags": [{"Key": "aws-cdk:auto-delete-objects", "Value": "true"}],
            },
        },
        "TlsOnly": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {
                "Bucket": {"Ref": "Bucket"},
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Deny",
                            "Principal": {"AWS": "*"},
                            "Action": "s3:*",
                            "Resource": "arn:aws:s3:::probe/*",
                            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                        }
                    ],
                },
            },
        },
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "TableName": "probe",
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": "PK", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "PK", "KeyType": "HASH"}],
                "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": True},
            },
        },
        "FunctionRole": role(
            "function-role",
            {"Service": "lambda.amazonaws.com"},
            [ALLOW_ALL, ALLOW_ANSWERS, ALLOW_PASSING, ALLOW_SIMULATION, ALLOW_TAGGED],
        ),
        "GuardedRole": role(
            "guarded-role",
            {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            [],
            Condition={"ArnEquals": {"aws:PrincipalArn": FUNCTION_ROLE_ARN}},
        ),
        **{
            name: {
                "Type": "AWS::Lambda::Function",
                "DependsOn": "FunctionRole",
                "Properties": {
                    "FunctionName": name,
                    "Runtime": "python3.13",
                    "Handler": "index.handler",
                    "Role": FUNCTION_ROLE_ARN,
                    "Timeout": 20,
                    "Code": {"ZipFile": source},
                },
            }
            for name, source in FUNCTIONS.items()
        },
        "Url": {
            "Type": "AWS::Lambda::Url",
            "Properties": {"AuthType": "NONE", "TargetFunctionArn": {"Ref": "Echo"}},
        },
        "SignedUrl": {
            "Type": "AWS::Lambda::Url",
            "Properties": {"AuthType": "AWS_IAM", "TargetFunctionArn": {"Ref": "Called"}},
        },
        "Machine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "StateMachineName": "probe",
                "RoleArn": FUNCTION_ROLE_ARN,
                "DefinitionString": json.dumps(
                    {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 60, "End": True}}}
                ),
            },
        },
        "TokenMachine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "StateMachineName": "token-probe",
                "RoleArn": FUNCTION_ROLE_ARN,
                "DefinitionString": json.dumps(TOKEN_MACHINE),
            },
        },
        "RestartMachine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "StateMachineName": "restart-probe",
                "RoleArn": FUNCTION_ROLE_ARN,
                "DefinitionString": json.dumps(RESTART_MACHINE),
            },
        },
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "probe"}},
    },
    "Outputs": {"Url": {"Value": {"Fn::GetAtt": ["Url", "FunctionUrl"]}}},
}


def invoke(cloud: LocalCloud, function: str, event: Any) -> Any:
    answer = cloud.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event))
    return json.loads(answer["Payload"].read())


def bucket_tags(cloud: LocalCloud) -> Any:
    return cloud.client("s3").get_bucket_tagging(Bucket="probe")["TagSet"]


def table_ttl(cloud: LocalCloud) -> Any:
    table = cloud.client("dynamodb").describe_time_to_live(TableName="probe")
    return table["TimeToLiveDescription"].get("AttributeName")


def function_urls(cloud: LocalCloud) -> Any:
    with urllib.request.urlopen(f"{cloud.output('Url')}some/path", timeout=10) as response:
        return json.load(response)["rawPath"]


def embedded_metrics(cloud: LocalCloud) -> Any:
    cloudwatch = cloud.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="hot",
        Namespace="Probe",
        MetricName="Heat",
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=2,
        ComparisonOperator="GreaterThanThreshold",
    )
    invoke(cloud, "Measuring", {})
    # On AWS, too, metrics come some time after the call that logs them.
    until = time.monotonic() + 5
    while True:
        metrics = cloudwatch.list_metrics(Namespace="Probe")["Metrics"]
        dimensions = {(each["MetricName"], str(each["Dimensions"])) for each in metrics}
        (alarm,) = cloudwatch.describe_alarms(AlarmNames=["hot"])["MetricAlarms"]
        if alarm["StateValue"] == "ALARM" or time.monotonic() > until:
            return dimensions, alarm["StateValue"]
        time.sleep(0.2)


def error_names(cloud: LocalCloud) -> Any:
    return invoke(cloud, "Failing", {})["errorType"]


def fastest_seconds(call: Callable[[], object]) -> float:
    seconds = []
    for _ in range(12):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def log_wait(cloud: LocalCloud) -> Any:
    client = cloud.client("lambda")
    client.invoke(FunctionName="Echo", Payload="{}")
    return fastest_seconds(lambda: client.invoke(FunctionName="Echo", Payload="{}")) < 0.045


def key_conditions(cloud: LocalCloud) -> Any:
    client = cloud.client("dynamodb")
    client.create_table(
        TableName="ranged",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("PK", "SK")],
        KeySchema=[
            {"AttributeName": "PK", "KeyType": "HASH"},
            {"AttributeName": "SK", "KeyType": "RANGE"},
        ],
    )
    for number in range(400):
        key = {"PK": {"S": "many" if number else "one"}, "SK": {"S": f"{number:03d}"}}
        client.put_item(TableName="ranged", Item=key)

    def query(keys: ConditionBase) -> list[str]:
        condition = ConditionExpressionBuilder().build_expression(keys, is_key_condition=True)
        values = condition.attribute_value_placeholders
        answer = client.query(
            TableName="ranged",
            KeyConditionExpression=condition.condition_expression,
            ExpressionAttributeNames=condition.attribute_name_placeholders,
            ExpressionAttributeValues={name: {"S": text} for name, text in values.items()},
        )
        return [item["SK"]["S"] for item in answer["Items"]]

    one, many = Key("PK").eq("one"), Key("PK").eq("many")
    found = [query(one), query(many), query(many & Key("SK").eq("399"))]
    fast = []
    for keys in (Key("SK").begins_with("399"), Key("SK").between("398", "399")):
        found += [query(many & keys), query(one & keys)]
        in_one = fastest_seconds(partial(query, one & keys))
        fast.append(fastest_seconds(partial(query, many & keys)) < 4 * in_one)
    return found, fast


def late_logs(cloud: LocalCloud) -> Any:
    client, logs = cloud.client("lambda"), cloud.client("logs")
    client.invoke(FunctionName="Lingering", InvocationType="Event", Payload="{}")
    time.sleep(0.5)
    client.delete_function(FunctionName="Lingering")
    # The worker's cold start comes before its second of work.
    time.sleep(3)
    return logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/Lingering")["logGroups"]


def request_cookies(cloud: LocalCloud) -> Any:
    # The address that AWS gives, which the uncorrected emulator only knows by its host name.
    url_id = (cloud.output("Url") or "").removesuffix("/").rsplit("/", 1)[-1].split(".")[0]
    request = urllib.request.Request(
        f"{cloud.emulator.endpoint}/_aws/lambda-url/{url_id}/", headers={"Cookie": "a=1; b=2"}
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        event = json.load(response)
    return event["cookies"], "cookie" in event["headers"]


def gateway_logout(cloud: LocalCloud) -> Any:
    # No API has this address, so that whoever answers 404 has looked for one.
    request = urllib.request.Request(
        f"{cloud.emulator.endpoint}/logout",
        headers={"Host": f"0123abcd.execute-api.localhost:{cloud.port}"},
    )
    try:
        urllib.request.urlopen(request, timeout=10)
    except urllib.error.HTTPError as error:
        return error.code
    return None


def foreign_layers(cloud: LocalCloud) -> Any:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as layer:
        layer.writestr("python/from_foreign_layer.py", "")
        layer.writestr("python/_core.cpython-399-riscv64-linux-gnu.so", b"")
    client = cloud.client("lambda")
    layer_arn = client.publish_layer_version(
        LayerName="probe", Content={"ZipFile": content.getvalue()}
    )["LayerVersionArn"]
    client.update_function_configuration(FunctionName="Layered", Layers=[layer_arn])
    return invoke(cloud, "Layered", {})


def principal_arn(cloud: LocalCloud) -> Any:
    return invoke(cloud, "Assuming", {"role": f"arn:aws:iam::{ACCOUNT}:role/guarded-role"})


def pool_tags(cloud: LocalCloud) -> Any:
    cognito = cloud.client("cognito-idp")
    pools = [
        cognito.create_user_pool(PoolName="probe", UserPoolTags=tags)["UserPool"]["Id"]
        for tags in ({"purpose": "probe"}, {"purpose": "other"})
    ]
    tagged, other = (invoke(cloud, "Describing", {"pool": pool}) for pool in pools)
    return tagged, "AccessDenied" in str(other)


def secure_transport(cloud: LocalCloud) -> Any:
    return invoke(cloud, "Writing", {"bucket": "probe"})


def repeated_starts(cloud: LocalCloud) -> Any:
    states = cloud.client("stepfunctions")
    machine = f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:probe"
    started = [
        states.start_execution(stateMachineArn=machine, name="once", input='{"a": 1}')
        for _ in range(2)
    ]
    return started[0]["executionArn"] == started[1]["executionArn"]


def task_token_rights(cloud: LocalCloud) -> Any:
    states = cloud.client("stepfunctions")
    arn = states.start_execution(stateMachineArn=TOKEN_MACHINE_ARN)["executionArn"]
    gone = invoke(cloud, "Answering", {"token": "gone"})
    return finished_status(cloud, arn), "TaskDoesNotExist" in str(gone)


def simulated_context(cloud: LocalCloud) -> Any:
    services = ("sagemaker.amazonaws.com", "ec2.amazonaws.com")
    return [invoke(cloud, "Simulating", {"service": service}) for service in services]


def url_callers(cloud: LocalCloud) -> Any:
    url = cloud.client("lambda").get_function_url_config(FunctionName="Called")["FunctionUrl"]
    host = urlsplit(url).hostname or ""
    scope = "test/20261127/us-east-1/lambda/aws4_request"
    request = urllib.request.Request(
        f"{cloud.emulator.endpoint}/_aws/lambda-url/{host.split('.')[0]}/",
        headers={
            "authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
        },
    )
    with urllib.request.urlopen(request, timeout=20) as response:
        return response.read().decode()


def topic_mails(cloud: LocalCloud) -> Any:
    sns = cloud.client("sns")
    topic = f"arn:aws:sns:us-east-1:{ACCOUNT}:probe"
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="ann@example.com")
    sns.publish(TopicArn=topic, Subject="Work", Message="There is work for you")
    return [(mail.recipient, mail.subject, mail.text) for mail in cloud.mails()]


def packaged(package: str, suffix: str) -> bytes:
    """A file out of the archive that one of CDK's Python packages carries."""
    # Found without importing, which would start Node.
    (archive,) = Path(*CDK.parts, *package.split(".")).glob("_jsii/*.jsii.tgz")
    with tarfile.open(archive, "r|gz") as contents:
        for member in contents:
            if member.name.endswith(suffix):
                file = contents.extractfile(member)
                assert file is not None
                return file.read()
    raise AssertionError(f"no {suffix} in {archive}")


@cache
def bucket_deployment_source() -> bytes:
    return packaged("", "aws-s3-deployment/bucket-deployment-handler/index.py")


@cache
def cli_layer() -> bytes:
    return packaged("asset_awscli_v1", "lib/layer.zip")


def bucket_deployment(cloud: LocalCloud) -> Any:
    client, s3 = cloud.client("lambda"), cloud.client("s3")
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("index.py", bucket_deployment_source())
    layer = client.publish_layer_version(LayerName="cli", Content={"ZipFile": cli_layer()})
    client.create_function(
        FunctionName="CustomCDKBucketDeployment",
        Runtime="python3.13",
        Handler="index.handler",
        Role=FUNCTION_ROLE_ARN,
        Timeout=60,
        Code={"ZipFile": code.getvalue()},
        Layers=[layer["LayerVersionArn"]],
    )
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("note.txt", "deployed")
    for bucket in ("assets", "target"):
        s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket="assets", Key="content.zip", Body=content.getvalue())
    event = {
        "RequestType": "Create",
        "StackId": "s",
        "RequestId": "r",
        "LogicalResourceId": "l",
        "ResponseURL": s3.generate_presigned_url(
            "put_object", Params={"Bucket": "assets", "Key": "answer", "ContentType": ""}
        ),
        "ResourceProperties": {
            "SourceBucketNames": ["assets"],
            "SourceObjectKeys": ["content.zip"],
            "DestinationBucketName": "target",
        },
    }
    invoke(cloud, "CustomCDKBucketDeployment", event)
    return s3.get_object(Bucket="target", Key="note.txt")["Body"].read()


AS_ON_AWS: dict[str, tuple[Callable[[LocalCloud], Any], Any]] = {
    "bucket_deployment": (bucket_deployment, b"deployed"),
    "bucket_tags": (bucket_tags, [{"Key": "aws-cdk:auto-delete-objects", "Value": "true"}]),
    "embedded_metrics": (
        embedded_metrics,
        ({("Heat", "[]"), ("Heat", "[{'Name': 'Room', 'Value': 'kitchen'}]")}, "ALARM"),
    ),
    "error_names": (error_names, "TooTiredError"),
    "foreign_layers": (foreign_layers, "left out"),
    "function_urls": (function_urls, "/some/path"),
    "gateway_logout": (gateway_logout, 404),
    "key_conditions": (
        key_conditions,
        (
            [
                ["000"],
                [f"{number:03d}" for number in range(1, 400)],
                ["399"],
                ["399"],
                [],
                ["398", "399"],
                [],
            ],
            [True, True],
        ),
    ),
    "late_logs": (late_logs, []),
    "log_wait": (log_wait, True),
    "pool_tags": (pool_tags, ("described", True)),
    "principal_arn": (principal_arn, "assumed"),
    "repeated_starts": (repeated_starts, True),
    "request_cookies": (request_cookies, (["a=1", "b=2"], False)),
    "secure_transport": (secure_transport, "written"),
    "simulated_context": (simulated_context, ["allowed", "implicitDeny"]),
    "table_ttl": (table_ttl, "expires_at"),
    "task_token_rights": (task_token_rights, ("SUCCEEDED", True)),
    "topic_mails": (topic_mails, [("ann@example.com", "Work", "There is work for you")]),
    "url_callers": (url_callers, f"arn:aws:iam::{ACCOUNT}:root"),
}
MEASURED = ("key_conditions", "log_wait")


def observed(probe: Callable[[LocalCloud], Any], cloud: LocalCloud) -> Any:
    try:
        return probe(cloud)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


RESTART_MACHINE_ARN = f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:restart-probe"


def resumed_executions(cloud: LocalCloud) -> Any:
    states = cloud.client("stepfunctions")
    (execution,) = states.list_executions(stateMachineArn=RESTART_MACHINE_ARN)["executions"]
    arn = execution["executionArn"]
    status = finished_status(cloud, arn)
    execution = states.describe_execution(executionArn=arn)
    passed = [event for event in history(cloud, arn) if event["type"] == "PassStateEntered"]
    return status, execution.get("output"), len(passed)


def kept_mails(cloud: LocalCloud) -> Any:
    return [mail.recipient for mail in cloud.mails() if mail.subject == "Kept"]


# Asked after the emulator was stopped and started again, with an execution running.
AS_ON_AWS_AFTER_RESTART: dict[str, tuple[Callable[[LocalCloud], Any], Any]] = {
    "kept_mails": (kept_mails, ["bob@example.com"]),
    "resumed_executions": (resumed_executions, ("SUCCEEDED", '{"passed": "once"}', 1)),
}


def finished_status(cloud: LocalCloud, execution_arn: str) -> str:
    status = "RUNNING"
    for _ in range(100):
        execution = cloud.client("stepfunctions").describe_execution(executionArn=execution_arn)
        status = execution["status"]
        if status != "RUNNING":
            break
        time.sleep(0.1)
    return status


def behaviour(cloud: LocalCloud, restart: Callable[[], None]) -> dict[str, Any]:
    cloudformation = cloud.client("cloudformation")
    cloudformation.create_stack(
        StackName="probe", TemplateBody=json.dumps(TEMPLATE), Capabilities=["CAPABILITY_NAMED_IAM"]
    )
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName="probe", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    # Without the other probes, which keep the processors busy.
    seen = {name: observed(AS_ON_AWS[name][0], cloud) for name in MEASURED}
    with ThreadPoolExecutor(4) as pool:
        running = {
            name: pool.submit(observed, probe, cloud)
            for name, (probe, _) in AS_ON_AWS.items()
            if name not in MEASURED
        }
        seen |= {name: future.result() for name, future in running.items()}
    arn = cloud.client("stepfunctions").start_execution(stateMachineArn=RESTART_MACHINE_ARN)[
        "executionArn"
    ]
    cloud.client("ses").verify_email_identity(EmailAddress="host@example.com")
    cloud.client("ses").send_email(
        Source="host@example.com",
        Destination={"ToAddresses": ["bob@example.com"]},
        Message={"Subject": {"Data": "Kept"}, "Body": {"Text": {"Data": "t"}}},
    )
    while len(history(cloud, arn)) < 4:
        time.sleep(0.1)
    restart()
    return seen | {
        name: observed(probe, cloud) for name, (probe, _) in AS_ON_AWS_AFTER_RESTART.items()
    }


def history(cloud: LocalCloud, execution_arn: str) -> Any:
    events = cloud.client("stepfunctions").get_execution_history(executionArn=execution_arn)
    return events["events"]


@contextmanager
def corrected_emulator(folder: Path, port: int) -> Iterator[tuple[LocalCloud, Callable[[], None]]]:
    """The emulator that the product starts, and a way to start it again."""
    cloud = LocalCloud(PROJECT, folder, port, enforce_iam=True)

    def restart() -> None:
        cloud.stop()
        cloud.start()

    cloud.start()
    try:
        yield cloud, restart
    finally:
        cloud.discard()


@contextmanager
def shipped_emulator(folder: Path, port: int) -> Iterator[tuple[LocalCloud, Callable[[], None]]]:
    """MiniStack as it ships, and a way to start it again."""
    cloud = LocalCloud(PROJECT, folder, port, enforce_iam=True)
    (folder / "tmp").mkdir()
    processes: list[subprocess.Popen[bytes]] = []

    def start() -> None:
        with (folder / "log").open("a") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "ministack"],
                env=cloud.emulator.environment(),
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        processes.append(process)
        while not answers(cloud.emulator.endpoint):
            assert process.poll() is None, (folder / "log").read_text()
            time.sleep(0.1)

    def stop() -> None:
        processes[-1].terminate()
        processes[-1].wait(30)

    def restart() -> None:
        stop()
        start()

    start()
    try:
        yield cloud, restart
    finally:
        stop()


@pytest.fixture(scope="module")
def behaviours(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What the probes see on either emulator."""

    def seen(kind: Any, folder: Path, port: int) -> dict[str, Any]:
        with kind(folder, port) as (cloud, restart):
            return behaviour(cloud, restart)

    # Unpacked once, before both want them.
    bucket_deployment_source()
    cli_layer()
    port = free_port(FIRST_PORT)
    # Made here, as two threads that ask pytest for its first folder at once can both create it.
    folders = [tmp_path_factory.mktemp("emulator") for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        corrected = pool.submit(seen, corrected_emulator, folders[0], port)
        shipped = pool.submit(seen, shipped_emulator, folders[1], free_port(port + 1))
        return {"corrected": corrected.result(), "shipped": shipped.result()}


def as_on_aws(name: str) -> Any:
    return (AS_ON_AWS | AS_ON_AWS_AFTER_RESTART)[name][1]


@pytest.mark.parametrize("name", corrections.NAMES)
def test_a_corrected_emulator_behaves_as_aws_does(name: str, behaviours: dict[str, Any]) -> None:
    assert behaviours["corrected"][name] == as_on_aws(name)


@pytest.mark.parametrize("name", corrections.NAMES)
def test_the_correction_is_still_needed(name: str, behaviours: dict[str, Any]) -> None:
    assert behaviours["shipped"][name] != as_on_aws(name), (
        f"MiniStack behaves as AWS does now: remove groundwork/local/corrections/{name}.py"
    )


def test_every_correction_has_a_probe() -> None:
    modules = {path.stem for path in Path(corrections.__file__).parent.glob("[a-z]*.py")}
    assert set(corrections.NAMES) == {*AS_ON_AWS, *AS_ON_AWS_AFTER_RESTART} == modules


def test_functions_do_not_see_the_users_own_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real")
    cloud = LocalCloud(PROJECT, PROJECT / "build" / "unused", FIRST_PORT)
    for environment in (cloud.emulator.environment(), cloud.environment()):
        assert "AWS_PROFILE" not in environment
        assert "real" not in environment.values()
        assert environment["AWS_CONFIG_FILE"] == os.devnull
