"""Ground Truth's built-in task types: what no API returns and every client has to bring along."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from groundwork.contract.arns import PUBLIC_CROWD_ACCOUNT, Arn, ArnFormatError, partition_of

# The Lambda functions' accounts, from the service model's documentation of HumanTaskConfig:
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_HumanTaskConfig.html
# Text, as one has a leading zero. These are also the regions in which Ground Truth runs.
REGION_ACCOUNTS: Mapping[str, str] = MappingProxyType(
    {
        "us-east-1": "432418664414",
        "us-east-2": "266458841044",
        "us-west-2": "081040173940",
        "ca-central-1": "918755190332",
        "eu-west-1": "568282634449",
        "eu-west-2": "487402164563",
        "eu-central-1": "203001061592",
        "ap-northeast-1": "477331159723",
        "ap-northeast-2": "845288260483",
        "ap-south-1": "565803892007",
        "ap-southeast-1": "377565633583",
        "ap-southeast-2": "454466003867",
    }
)
# The open engine only reads the task type from these ARNs and calls no such function, so it runs
# where Ground Truth does not, too; there the ARNs carry this account.
OTHER_REGIONS_ACCOUNT = REGION_ACCOUNTS["us-east-1"]

# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_LabelingJobAlgorithmsConfig.html
ALGORITHM_ACCOUNT = "027400017018"

# The limits of TaskTimeLimitInSeconds:
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_HumanTaskConfig.html
EIGHT_HOURS_SECONDS = 28_800
THIRTY_DAYS_SECONDS = 30 * 24 * 3600


@dataclass(frozen=True)
class BuiltinTask:
    """One built-in task type.

    Parameters
    ----------
    key
        What follows ``PRE-`` and ``ACS-`` in the names of its functions.
    title
        The task in plain words.
    data
        What workers see: image, text, video, video frames, 3D point cloud, or any.
    metadata_type
        ``type`` in the metadata of the output manifest; None where no public source tells it.
    algorithm
        The automated labeling algorithm, or None when the task cannot be automated.
    label_attribute_is_reference
        Whether the label attribute's name has to end in ``-ref``; otherwise it must not.
    human_task_ui
        The name of the worker page that the service brings, or None where a template is needed.
    crowd_element, crowd_name
        The element that the template has to contain, and the ``name`` under which it answers.
    minimum_labels, maximum_labels
        How many label categories the API takes; None is no limit.
    maximum_time_limit_seconds
        The longest ``TaskTimeLimitInSeconds``.
    """

    key: str
    title: str
    data: str
    metadata_type: str | None
    algorithm: str | None = None
    label_attribute_is_reference: bool = False
    human_task_ui: str | None = None
    crowd_element: str | None = None
    crowd_name: str | None = None
    minimum_labels: int = 1
    maximum_labels: int | None = None
    maximum_time_limit_seconds: int = EIGHT_HOURS_SECONDS

    @property
    def pre_lambda_name(self) -> str:
        """The pre-annotation function's name."""
        return f"PRE-{self.key}"

    @property
    def consolidation_lambda_name(self) -> str:
        """The annotation consolidation function's name."""
        return f"ACS-{self.key}"


def _frames(key: str, title: str, metadata_type: str, human_task_ui: str) -> BuiltinTask:
    return BuiltinTask(
        key=key,
        title=title,
        data="video frames",
        metadata_type=metadata_type,
        label_attribute_is_reference=True,
        human_task_ui=human_task_ui,
        maximum_labels=30,
        maximum_time_limit_seconds=THIRTY_DAYS_SECONDS,
    )


def _points(
    key: str, title: str, metadata_type: str, human_task_ui: str, *, reference: bool
) -> BuiltinTask:
    return BuiltinTask(
        key=key,
        title=title,
        data="3D point cloud",
        metadata_type=metadata_type,
        label_attribute_is_reference=reference,
        human_task_ui=human_task_ui,
        maximum_labels=30,
        maximum_time_limit_seconds=THIRTY_DAYS_SECONDS,
    )


_TASKS = (
    BuiltinTask(
        key="ImageMultiClass",
        title="image classification, single label",
        data="image",
        metadata_type="groundtruth/image-classification",
        algorithm="image-classification",
        crowd_element="crowd-image-classifier",
        crowd_name="crowd-image-classifier",
        minimum_labels=2,
    ),
    BuiltinTask(
        key="ImageMultiClassMultiLabel",
        title="image classification, multi-label",
        data="image",
        metadata_type="groundtruth/image-classification-multilabel",
        crowd_element="crowd-image-classifier-multi-select",
        crowd_name="crowd-image-classifier-multi-select",
        minimum_labels=2,
        maximum_labels=50,
    ),
    BuiltinTask(
        key="BoundingBox",
        title="bounding box",
        data="image",
        metadata_type="groundtruth/object-detection",
        algorithm="object-detection",
        crowd_element="crowd-bounding-box",
        crowd_name="boundingBox",
        maximum_labels=50,
    ),
    BuiltinTask(
        key="SemanticSegmentation",
        title="semantic segmentation",
        data="image",
        metadata_type="groundtruth/semantic-segmentation",
        algorithm="semantic-segmentation",
        label_attribute_is_reference=True,
        crowd_element="crowd-semantic-segmentation",
        crowd_name="crowd-semantic-segmentation",
    ),
    BuiltinTask(
        key="TextMultiClass",
        title="text classification, single label",
        data="text",
        metadata_type="groundtruth/text-classification",
        algorithm="text-classification",
        crowd_element="crowd-classifier",
        crowd_name="crowd-classifier",
        minimum_labels=2,
    ),
    BuiltinTask(
        key="TextMultiClassMultiLabel",
        title="text classification, multi-label",
        data="text",
        metadata_type="groundtruth/text-classification-multilabel",
        crowd_element="crowd-classifier-multi-select",
        crowd_name="crowd-classifier-multi-select",
        minimum_labels=2,
        maximum_labels=50,
    ),
    BuiltinTask(
        key="NamedEntityRecognition",
        title="named entity recognition",
        data="text",
        metadata_type="groundtruth/text-span",
        human_task_ui="NamedEntityRecognition",
        crowd_element="crowd-entity-annotation",
        crowd_name="crowd-entity-annotation",
    ),
    BuiltinTask(
        key="VideoMultiClass",
        title="video classification",
        data="video",
        metadata_type=None,
        crowd_element="crowd-classifier",
        crowd_name="crowd-classifier",
    ),
    _frames(
        "VideoObjectDetection",
        "video frame object detection",
        "groundtruth/video-object-detection",
        "VideoObjectDetection",
    ),
    _frames(
        "VideoObjectTracking",
        "video frame object tracking",
        "groundtruth/video-object-tracking",
        "VideoObjectTracking",
    ),
    _points(
        "3DPointCloudObjectDetection",
        "3D point cloud object detection",
        "groundtruth/lidar_object_detection",
        "PointCloudObjectDetection",
        reference=False,
    ),
    _points(
        "3DPointCloudObjectTracking",
        "3D point cloud object tracking",
        "groundtruth/lidar_object_tracking",
        "PointCloudObjectTracking",
        reference=True,
    ),
    _points(
        "3DPointCloudSemanticSegmentation",
        "3D point cloud semantic segmentation",
        "groundtruth/lidar_single_frame_semantic_segmentation",
        "PointCloudSemanticSegmentation",
        reference=True,
    ),
    BuiltinTask(
        key="VerificationBoundingBox",
        title="bounding box verification",
        data="image",
        metadata_type="groundtruth/label-verification",
        crowd_element="crowd-image-classifier",
        crowd_name="crowd-image-classifier",
    ),
    # The one segmentation task without -ref: its answer is a class, not a mask.
    BuiltinTask(
        key="VerificationSemanticSegmentation",
        title="semantic segmentation verification",
        data="image",
        metadata_type="groundtruth/label-verification",
        crowd_element="crowd-image-classifier",
        crowd_name="crowd-image-classifier",
    ),
    BuiltinTask(
        key="AdjustmentBoundingBox",
        title="bounding box adjustment",
        data="image",
        metadata_type="groundtruth/object-detection",
        crowd_element="crowd-bounding-box",
        crowd_name="boundingBox",
        maximum_labels=50,
    ),
    BuiltinTask(
        key="AdjustmentSemanticSegmentation",
        title="semantic segmentation adjustment",
        data="image",
        metadata_type="groundtruth/semantic-segmentation",
        label_attribute_is_reference=True,
        crowd_element="crowd-semantic-segmentation",
        crowd_name="crowd-semantic-segmentation",
    ),
    _frames(
        "AdjustmentVideoObjectDetection",
        "video frame object detection adjustment or verification",
        "groundtruth/video-object-detection",
        "VideoObjectDetection",
    ),
    _frames(
        "AdjustmentVideoObjectTracking",
        "video frame object tracking adjustment or verification",
        "groundtruth/video-object-tracking",
        "VideoObjectTracking",
    ),
    _points(
        "Adjustment3DPointCloudObjectDetection",
        "3D point cloud object detection adjustment or verification",
        "groundtruth/lidar_object_detection",
        "PointCloudObjectDetection",
        reference=False,
    ),
    _points(
        "Adjustment3DPointCloudObjectTracking",
        "3D point cloud object tracking adjustment or verification",
        "groundtruth/lidar_object_tracking",
        "PointCloudObjectTracking",
        reference=True,
    ),
    _points(
        "Adjustment3DPointCloudSemanticSegmentation",
        "3D point cloud semantic segmentation adjustment or verification",
        "groundtruth/lidar_single_frame_semantic_segmentation",
        "PointCloudSemanticSegmentation",
        reference=True,
    ),
    BuiltinTask(
        key="PassThrough",
        title="pass-through for custom tasks",
        data="any",
        metadata_type="groundtruth/custom",
        minimum_labels=0,
    ),
)

BUILTIN_TASKS: Mapping[str, BuiltinTask] = MappingProxyType({task.key: task for task in _TASKS})
HUMAN_TASK_UIS = frozenset(task.human_task_ui for task in _TASKS if task.human_task_ui)


def function_account(region: str) -> str:
    """Return the account that the ARNs of the built-in functions carry in a region."""
    return REGION_ACCOUNTS.get(region, OTHER_REGIONS_ACCOUNT)


def pre_lambda_arn(region: str, task: BuiltinTask) -> str:
    """Return the ARN of a built-in task's pre-annotation function."""
    return _function_arn(region, task.pre_lambda_name)


def consolidation_lambda_arn(region: str, task: BuiltinTask) -> str:
    """Return the ARN of a built-in task's annotation consolidation function."""
    return _function_arn(region, task.consolidation_lambda_name)


def algorithm_arn(region: str, task: BuiltinTask) -> str | None:
    """Return the ARN of the task's automated labeling algorithm, or None when it has none."""
    if task.algorithm is None:
        return None
    resource = f"labeling-job-algorithm-specification/{task.algorithm}"
    return str(Arn(partition_of(region), "sagemaker", region, ALGORITHM_ACCOUNT, resource))


def human_task_ui_arn(region: str, task: BuiltinTask) -> str | None:
    """Return the ARN of the service's own worker page for a task, or None when it has none."""
    if task.human_task_ui is None:
        return None
    resource = f"human-task-ui/{task.human_task_ui}"
    return str(Arn(partition_of(region), "sagemaker", region, PUBLIC_CROWD_ACCOUNT, resource))


def task_of_lambda_arn(arn: str) -> BuiltinTask | None:
    """Return the built-in task of a PRE- or ACS- function, or None for anyone else's function."""
    try:
        parsed = Arn.parse(arn)
    except ArnFormatError:
        return None
    kind, _, name = parsed.resource.partition(":")
    prefix, _, key = name.partition("-")
    if parsed.service != "lambda" or kind != "function" or prefix not in ("PRE", "ACS"):
        return None
    if parsed.account not in set(REGION_ACCOUNTS.values()):
        return None
    return BUILTIN_TASKS.get(key)


def _function_arn(region: str, name: str) -> str:
    resource = f"function:{name}"
    return str(Arn(partition_of(region), "lambda", region, function_account(region), resource))
