"""Whether the emulator can be installed, and answers alike, beside the packages that its users have."""
