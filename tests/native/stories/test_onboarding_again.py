"""The story over the Manager library."""

from tests.stories.test_onboarding import *  # noqa: F403
