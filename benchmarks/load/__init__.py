"""Load generators: C where there is a compiler, else Python. Both take the same flags and print the same JSON."""
