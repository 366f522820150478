"""A server under mixed load for minutes: whether its memory grows, requests fail, or some wait far longer."""
