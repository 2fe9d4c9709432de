"""An augmented manifest in figures: who labeled what, how sure, how good."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from groundwork.manifest import LabelState
from groundwork.results.labels import LabeledObject
from groundwork.results.tally import LabelTally, ManifestTally
from groundwork.results.truth import Truth


@dataclass
class ResultSummary:
    """The counts of one label attribute in a manifest; quality only where truth is known."""

    objects: int = 0
    tally: LabelTally = field(default_factory=LabelTally)

    @property
    def states(self) -> dict[LabelState, int]:
        """Objects by who labeled them."""
        unlabeled = self.objects - self.tally.states.total()
        counts = {state: self.tally.states[state] for state in LabelState}
        return counts | {LabelState.UNLABELED: unlabeled}

    @property
    def human_mean_iou(self) -> float | None:
        """Mean over the images that people labeled; None without such an image or truth."""
        return self.tally.quality[LabelState.HUMAN].value

    @property
    def machine_mean_iou(self) -> float | None:
        """Mean over the images that the machine labeled; None without such an image or truth."""
        return self.tally.quality[LabelState.MACHINE].value

    @classmethod
    def of(cls, manifest: ManifestTally, label_attribute: str) -> "ResultSummary":
        """Return the summary of one attribute; of one that nothing has, everything is unlabeled."""
        tally = manifest.attributes.get(label_attribute) or LabelTally()
        return cls(manifest.objects, tally)


def summarize(results: Iterable[LabeledObject], truth: Truth | None = None) -> ResultSummary:
    """Count objects at hand, and compare them with the truth where it knows the image."""
    summary = ResultSummary()
    for result in results:
        summary.objects += 1
        summary.tally.add(result, truth)
    return summary
