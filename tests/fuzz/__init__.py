"""A stateful fuzz of a running emulator, with Schemathesis beside it. `python -m tests.fuzz --help`."""
