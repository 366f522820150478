"""The GraphQL schema, its resolvers, and how a request is parsed, checked and executed."""
