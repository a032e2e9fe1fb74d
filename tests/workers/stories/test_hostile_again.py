"""The story on a worker."""

from tests.stories.test_hostile import *  # noqa: F403
