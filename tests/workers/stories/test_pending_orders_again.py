"""The story on a worker."""

from tests.stories.test_pending_orders import *  # noqa: F403
