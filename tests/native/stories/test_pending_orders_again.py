"""The story over the Manager library."""

from tests.stories.test_pending_orders import *  # noqa: F403
