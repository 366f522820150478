"""Audience conditions: the JSON form compiled to a test of profile facts."""
