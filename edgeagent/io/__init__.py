"""The drivers and what they need: the only room that touches sockets, clocks, threads and event loops."""
