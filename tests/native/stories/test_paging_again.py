"""The story over the Manager library."""

from tests.stories.test_paging import *  # noqa: F403
