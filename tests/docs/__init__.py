"""The documentation, run: every block, link, anchor and generated table of README and `emulator/docs`."""
