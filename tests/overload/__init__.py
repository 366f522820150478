"""A server under more load than it can serve: slow endpoints, delays, connections that send half a request."""
