"""Labeling jobs: their lifecycle, the work of people on them, and what they publish."""
