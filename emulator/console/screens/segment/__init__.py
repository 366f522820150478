"""Screens named as Segment names its own."""
