"""The suites, by what they are about. Which there are says :mod:`mt_remote_conformance.running.programme`."""
