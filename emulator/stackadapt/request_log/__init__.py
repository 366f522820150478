"""The journal of requests to `/graphql`: search, verification and display."""
