"""What this project calls itself towards AWS, as CloudTrail and access logs show it."""

# Without a name botocore composes its own twice a call, a sixth of the time of a small one.
USER_AGENT = "groundwork"
