"""Conformance: the emulator beside the code that Segment publishes. Needs Node; see README.md here."""
