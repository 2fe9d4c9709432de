"""What automated labeling takes to be worth it, by engine."""

from collections.abc import Mapping
from types import MappingProxyType

# With fewer objects people will label all, or nearly all. Ground Truth's number is its own limit:
# https://docs.aws.amazon.com/sagemaker/latest/dg/sms-automated-labeling.html
# The open engine has none; on the sample photos it began to save people work at about this many.
FEWEST_OBJECTS: Mapping[str, int] = MappingProxyType({"ground-truth": 1250, "open": 200})
# A sample that proves anything has at least so many objects, and people get it in one batch.
SMALLEST_SAMPLE = 20
