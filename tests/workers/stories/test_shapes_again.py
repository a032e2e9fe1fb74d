"""The story on a worker."""

from tests.stories.test_shapes import *  # noqa: F403
