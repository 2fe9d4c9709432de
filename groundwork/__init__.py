"""Groundwork: data labeling with people and a model, on SageMaker Ground Truth's contract."""
