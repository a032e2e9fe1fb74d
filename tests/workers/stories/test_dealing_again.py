"""The story on a worker."""

from tests.stories.test_dealing import *  # noqa: F403
