"""Checks of workspaces, mappings and documents: what is wrong, why, and how to fix it."""
