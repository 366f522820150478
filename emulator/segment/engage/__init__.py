"""Engage: audiences and journeys computed from profiles, and the events that they emit."""
