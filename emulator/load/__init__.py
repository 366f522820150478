"""Load on a running emulator by Locust, and whether everything that it acknowledged is accounted for.

Only `locustfile` imports Locust, whose import changes the standard library of its process: it is never imported here,
but run by Locust in processes of its own.
"""
