"""The story over the Manager library."""

from tests.stories.test_hostile import *  # noqa: F403
