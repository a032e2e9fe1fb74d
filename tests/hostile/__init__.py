"""What a hostile client may try, each finding as a test of its kind. Nothing here measures time."""
