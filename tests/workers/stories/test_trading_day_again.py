"""The story on a worker."""

from tests.stories.test_trading_day import *  # noqa: F403
