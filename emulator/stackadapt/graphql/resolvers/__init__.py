"""Resolvers, one file a domain. Thin: they read arguments, ask a rule, and queue or answer."""
