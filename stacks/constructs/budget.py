"""A budget of the account, for those who pay."""

from collections.abc import Sequence

from aws_cdk import aws_budgets as budgets
from constructs import Construct

_SOON_PERCENT = 80
_ALL_PERCENT = 100


class MonthlyBudget(Construct):
    """Mails to operators when the account's costs of a month come near a limit.

    The whole account's, since costs can be told apart by tags only where somebody has switched that
    on, and a budget on a tag that is not would stay silent. AWS counts costs a few times a day.
    https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-best-practices.html
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, dollars: int, emails: Sequence[str]
    ) -> None:
        super().__init__(scope, construct_id)
        subscribers = [
            budgets.CfnBudget.SubscriberProperty(address=email, subscription_type="EMAIL")
            for email in emails
        ]
        kinds = (("ACTUAL", _SOON_PERCENT), ("ACTUAL", _ALL_PERCENT), ("FORECASTED", _ALL_PERCENT))
        budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=dollars, unit="USD"),
            ),
            notifications_with_subscribers=[
                budgets.CfnBudget.NotificationWithSubscribersProperty(
                    notification=budgets.CfnBudget.NotificationProperty(
                        comparison_operator="GREATER_THAN",
                        notification_type=kind,
                        threshold=percent,
                        threshold_type="PERCENTAGE",
                    ),
                    subscribers=subscribers,
                )
                for kind, percent in kinds
            ],
        )
