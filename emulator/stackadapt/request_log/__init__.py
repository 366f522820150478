"""The requests to `/graphql` in the journal: searched, counted and shown."""
