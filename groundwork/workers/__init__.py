"""The people who label: who is let in, by a deployment or by hand, and what they did."""
