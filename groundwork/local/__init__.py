"""The local cloud: MiniStack with corrections and a SageMaker, on which the real stacks deploy."""
