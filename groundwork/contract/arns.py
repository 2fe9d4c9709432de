"""The ARNs of the labeling API: taken apart, and put together."""

from dataclasses import dataclass
from enum import StrEnum

# https://docs.aws.amazon.com/sagemaker/latest/dg/sms-workforce-management-public.html
PUBLIC_CROWD_ACCOUNT = "394669845002"


class ArnFormatError(ValueError):
    """Text that should be an ARN is not one."""


class TeamKind(StrEnum):
    """Whose people a work team consists of, as its ARN tells it."""

    PRIVATE = "private-crowd"
    PUBLIC = "public-crowd"
    VENDOR = "vendor-crowd"


@dataclass(frozen=True)
class Arn:
    """One ARN, in parts."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    @classmethod
    def parse(cls, text: str) -> "Arn":
        """Take an ARN apart; ArnFormatError when it is none."""
        parts = text.split(":", 5)
        if len(parts) != 6 or parts[0] != "arn" or not all(parts[i] for i in (1, 2, 5)):
            raise ArnFormatError(
                f"{text!r} is not an ARN; expected "
                "arn:<partition>:<service>:<region>:<account>:<resource>"
            )
        return cls(*parts[1:])

    @property
    def resource_type(self) -> str:
        """What comes before the first slash of the resource, such as ``labeling-job``."""
        return self.resource.partition("/")[0]

    @property
    def resource_name(self) -> str:
        """What comes after the last slash of the resource."""
        return self.resource.rpartition("/")[2]

    @property
    def team_kind(self) -> TeamKind | None:
        """The kind of a work team, or None for ARNs of anything else."""
        parts = self.resource.split("/")
        if self.service != "sagemaker" or len(parts) != 3 or parts[0] != "workteam":
            return None
        return TeamKind(parts[1]) if parts[1] in set(TeamKind) else None

    def __str__(self) -> str:
        return f"arn:{self.partition}:{self.service}:{self.region}:{self.account}:{self.resource}"


def partition_of(region: str) -> str:
    """Return the partition that a region's ARNs start with."""
    if region.startswith("cn-"):
        return "aws-cn"
    if region.startswith("us-gov-"):
        return "aws-us-gov"
    return "aws"


def sagemaker_arn(region: str, account: str, resource: str) -> str:
    """Return the ARN of a SageMaker resource."""
    return str(Arn(partition_of(region), "sagemaker", region, account, resource))


def workforce_arn(region: str, account: str, name: str) -> str:
    """Return the ARN of a workforce."""
    return sagemaker_arn(region, account, f"workforce/{name}")


def workteam_arn(region: str, account: str, name: str) -> str:
    """Return the ARN of a private work team."""
    return sagemaker_arn(region, account, f"workteam/{TeamKind.PRIVATE}/{name}")


def labeling_job_arn(region: str, account: str, name: str) -> str:
    """Return the ARN of a labeling job."""
    return sagemaker_arn(region, account, f"labeling-job/{name}")
