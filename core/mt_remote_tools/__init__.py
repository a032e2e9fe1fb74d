"""Tools round the gateway: the command line, checking plugins, testing, recordings. It imports none of them."""
