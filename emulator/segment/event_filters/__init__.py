"""Destination filters: conditions in FQL, and what is done with the events that meet them."""
