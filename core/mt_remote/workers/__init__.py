"""Several gateway processes in front of one backend: ``serve --workers N``.

Three kinds of process, all forked from one another's parent (:mod:`~mt_remote.workers.supervisor`), which itself serves
nobody: one with the backend (:mod:`~mt_remote.workers.host`), and N gateways that share the port (SO_REUSEPORT) and
reach the backend over a local socket (:mod:`~mt_remote.workers.far`).
"""
