"""The HTTP endpoints of the StackAdapt service: `/graphql` and `/uploads`."""
