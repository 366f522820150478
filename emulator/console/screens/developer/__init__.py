"""Screens for those who build and debug a sync."""
