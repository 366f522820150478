"""What the pytest plugin runs tests against. Its fixtures are in `emulator/pytest_entry/`, a module outside of this package.

A project under test may have a package `emulator` of its own, which would hide this one.
"""
