"""Automated labeling of a job: what was asked for, what is kept of it, and what each round decides.

``groundwork.autolabel`` knows pictures, labels and bounds, ``groundwork.jobs.steps`` knows the
loop's steps; what lies between them is here.
"""
