"""Whole stories played against a running emulator, and the checks that judge them."""
