"""The one table of prices, with its date; in US dollars, for the region us-east-1, before taxes.

Free tiers and discounts for large amounts are left out, so that a bill is rather lower.
"""

from dataclasses import dataclass
from datetime import date

AS_OF = date(2026, 11, 27)


@dataclass(frozen=True)
class Price:
    """What one unit costs.

    Parameters
    ----------
    usd
        For ``per`` units.
    source
        Where it is published.
    """

    unit: str
    usd: float
    per: float
    source: str

    def of(self, amount: float) -> float:
        """Return what so many units cost."""
        return self.usd * amount / self.per


_LAMBDA = "https://aws.amazon.com/lambda/pricing/"
_DYNAMODB = "https://aws.amazon.com/dynamodb/pricing/on-demand/"
_S3 = "https://aws.amazon.com/s3/pricing/"

# 64-bit ARM, which all functions use.
LAMBDA_GB_SECOND = Price("GB-seconds", 0.0000133334, 1, _LAMBDA)
LAMBDA_REQUEST = Price("requests", 0.20, 1e6, _LAMBDA)
HTTP_API_REQUEST = Price("requests", 1.00, 1e6, "https://aws.amazon.com/api-gateway/pricing/")
STATE_TRANSITION = Price(
    "state transitions", 0.025, 1e3, "https://aws.amazon.com/step-functions/pricing/"
)
DYNAMODB_WRITE = Price("write units", 0.625, 1e6, _DYNAMODB)
DYNAMODB_READ = Price("read units", 0.125, 1e6, _DYNAMODB)
S3_PUT = Price("PUT requests", 0.005, 1e3, _S3)
S3_GET = Price("GET requests", 0.0004, 1e3, _S3)
S3_GB_MONTH = Price("GB-months", 0.023, 1, _S3)
# Human or automatic; a team's own workers cost nothing more. AWS's notebooks reckon with it. For
# more than 50,000 objects a month it is said to be lower, and the first months had a free tier.
GROUND_TRUTH_OBJECT = Price(
    "labeled objects", 0.08, 1, "https://aws.amazon.com/sagemaker/groundtruth/pricing/"
)
