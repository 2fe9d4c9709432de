"""Automated labeling: a model learns from people's labels and labels what it is sure of.

Nothing in this package knows of jobs, S3 or the cloud: pictures and labels go in, labels and a
bound on their quality come out. ``groundwork.jobs.steps`` calls it from the labeling loop.
"""
