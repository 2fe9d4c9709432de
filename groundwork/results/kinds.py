"""The forms that labels have."""

from enum import StrEnum


class LabelKind(StrEnum):
    """What form a label has."""

    BOXES = "boxes"
    CLASS = "class"
    CLASSES = "classes"
    OTHER = "other"
