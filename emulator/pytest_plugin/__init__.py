"""What the pytest plugin runs tests against. Its fixtures are in a module of their own, in `emulator/pytest_entry/`.

A project under test may have a package `emulator` of its own, which would hide this one.
"""
