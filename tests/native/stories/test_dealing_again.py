"""The story over the Manager library."""

from tests.stories.test_dealing import *  # noqa: F403
