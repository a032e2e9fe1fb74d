"""What the protocol says of shapes: requests, results, events, by dialect."""
