"""Requests and functions: validation, pages, the order of a session's calls, calls that are safe to repeat."""
