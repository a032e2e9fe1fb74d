"""Reference pages, and the protocol's schema, made of what plugins registered."""
