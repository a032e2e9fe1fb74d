"""The functions and events that MT Remote ships, and the backend on the Manager library."""
