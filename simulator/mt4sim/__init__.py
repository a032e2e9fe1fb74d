"""An MT4 server in memory."""
