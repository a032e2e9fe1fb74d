"""The simulator as a Manager library: the same table of functions, in this process or as a shared library."""
