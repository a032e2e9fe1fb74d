"""The story over the Manager library."""

from tests.stories.test_trading_day import *  # noqa: F403
