"""What a server must be like after what was done to it: a model that shares no code with gateway or simulator."""
