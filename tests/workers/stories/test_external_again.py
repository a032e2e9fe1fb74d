"""The story on a worker."""

from tests.stories.test_external import *  # noqa: F403
