"""The half of the backend that touches the library: it may run in the gateway's process or in a worker's.

Everything here speaks numbers and bytes; records, code pages and the event loop are the other half's.
"""
