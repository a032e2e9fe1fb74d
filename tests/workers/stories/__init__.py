"""A broker's day, told again over the Manager library: the stories' own tests, on other desks."""
