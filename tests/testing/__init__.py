"""The fixtures for plugin authors."""
