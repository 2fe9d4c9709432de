"""The workforce and the work teams of an account, as values."""

from dataclasses import dataclass
from datetime import datetime

# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateWorkteam.html
MAXIMUM_WORKTEAMS = 25
# The console's own name, and that of a workforce that comes with the first work team.
DEFAULT_WORKFORCE_NAME = "default"
# The tag by which the owner of a user pool lets the open engine's portal sign its users in.
POOL_TAG_KEY, POOL_TAG_VALUE = "groundwork", "workforce"


class RegistryError(Exception):
    """The registry of workforce and work teams refuses a change."""


class WorkforceExistsError(RegistryError):
    """The account has a workforce already."""


class WorkforceNotFoundError(RegistryError):
    """There is no workforce of this name."""


class WorkteamsRemainError(RegistryError):
    """The workforce still has work teams."""


class WorkteamExistsError(RegistryError):
    """A work team of this name, in whatever case, exists already."""


class WorkteamNotFoundError(RegistryError):
    """There is no work team of this name."""


class WorkteamLimitError(RegistryError):
    """The account has as many work teams as it may have."""


@dataclass(frozen=True)
class Workforce:
    """The account's private workforce: everybody in one Cognito user pool."""

    name: str
    arn: str
    user_pool: str
    client_id: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class Workteam:
    """A work team: the users of some groups of the workforce's pool."""

    name: str
    arn: str
    description: str
    groups: tuple[str, ...]
    workforce_name: str
    created_at: datetime
    updated_at: datetime
    notification_topic_arn: str | None = None
