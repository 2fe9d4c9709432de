"""What a labeling job's results are and how good they are."""
