"""The conformance kit: it passes where it should, and every law can fail."""
