"""`python -m emulator` is the same as `stackadapt-emulator`."""

from emulator.cli import main

main()
