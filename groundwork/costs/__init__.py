"""What labeling costs: an estimate before a job, a ledger after it."""
