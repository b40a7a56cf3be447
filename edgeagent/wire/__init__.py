"""Wire formats without I/O: HTTP messages as values, server-sent events."""
