"""CloudFormation custom resources: what their functions do, apart from the handlers.

All of them do their work in ``is_complete`` and return their physical id from ``on_event`` before
anything is made. The CDK's Provider framework sends no Delete for a Create whose ``on_event``
failed, so that what was made by then would stay:
https://github.com/aws/aws-cdk/blob/main/packages/aws-cdk-lib/custom-resources/README.md#important-cases-to-handle
"""
