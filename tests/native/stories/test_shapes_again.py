"""The story over the Manager library."""

from tests.stories.test_shapes import *  # noqa: F403
