"""Limits of a risk desk: orders beyond them are refused before they reach the MT4 server."""
