"""Generated people, calls, audience events and workspaces; written to files or sent to a Tracking API."""
