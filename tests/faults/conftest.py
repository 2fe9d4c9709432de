"""Each fault test counts what it survived."""

from tests.support.fault_rows import pytest_runtest_makereport, survived

__all__ = ["pytest_runtest_makereport", "survived"]
