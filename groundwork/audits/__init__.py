"""Audits of machine labels: a random sample of them, labeled again by people who do not see them.

People label the sample's objects anew, and the machine's labels are measured by theirs. Whoever
sees a label first agrees with it too easily.
"""
