"""`make bench`: what the emulator takes, each figure beside a peer that is measured in the same run."""
