"""The story on a worker."""

from tests.stories.test_paging import *  # noqa: F403
