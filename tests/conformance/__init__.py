"""Conformance with the code that Segment publishes. Needs Node; see README.md."""
