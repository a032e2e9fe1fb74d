"""Idempotency keys: calls that are safe to repeat, for 24 hours, also over a restart.

:mod:`mt_remote.keys.claims` decides who is the first under a key and what repetitions answer;
:mod:`mt_remote.keys.store` is the interface of where keys live, with a store in memory;
:mod:`mt_remote.keys.sqlite` is the one that outlives the process.
"""
