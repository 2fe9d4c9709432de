"""Labeled images in the formats of other tools: taken out of a job's results, and brought in."""
