"""The story on a worker."""

from tests.stories.test_watching import *  # noqa: F403
