"""The worker portal: sign-in, sessions, and the worker API."""
