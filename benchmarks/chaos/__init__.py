"""A run under fire: many callers of every kind on one client, three targets that fail, random cancellations.

    python -m benchmarks.chaos --calls 10000 --seed 1

Nothing in it is measured against others: it counts what must not happen, and prints it with figures of what did.
"""
