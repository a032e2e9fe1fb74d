"""The story over the Manager library."""

from tests.stories.test_external import *  # noqa: F403
