"""Profiles, identity resolution and the events that conditions need."""
