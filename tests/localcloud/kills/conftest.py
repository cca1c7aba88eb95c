"""Assertions of the lanes show their values."""

import pytest

pytest.register_assert_rewrite("tests.localcloud.kills.lanes")
