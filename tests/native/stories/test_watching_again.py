"""The story over the Manager library."""

from tests.stories.test_watching import *  # noqa: F403
