"""The CDK stacks: configuration, the workshop, and the open engine."""
