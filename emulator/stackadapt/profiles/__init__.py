"""Profiles as they are read: pages of `cdpProfiles`, control API queries, import and export."""
