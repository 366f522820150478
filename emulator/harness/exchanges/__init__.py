"""Exchanges with a real StackAdapt: recorded without what identifies anybody, and replayed against the emulator."""
