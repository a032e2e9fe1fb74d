"""The story on a worker."""

from tests.stories.test_market_watch import *  # noqa: F403
