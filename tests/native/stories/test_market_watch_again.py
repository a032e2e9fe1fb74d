"""The story over the Manager library."""

from tests.stories.test_market_watch import *  # noqa: F403
