"""Resolvers, one module per domain: they read arguments, apply rules, and return a value or enqueue a job.

`schema.bindables_of` finds the modules; each lists what it binds in `BINDABLES` or `BINDABLES_2026`.
"""
