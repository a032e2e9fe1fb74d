"""The story on a worker."""

from tests.stories.test_onboarding import *  # noqa: F403
