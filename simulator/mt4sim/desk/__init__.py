"""Who deals with the server: managers with their rights, dealers, traders, and what they configure."""
