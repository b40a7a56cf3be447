"""What else finds personal data and secrets, each in an environment of its own: `./benchmarks/shield`.

The modules beside this one but `__main__` are loaded by the peers' interpreters: they import the standard library,
`worker` and the peer, and nothing of edgeagent.
"""
