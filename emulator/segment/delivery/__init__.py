"""Delivery to destination instances: queue, batches, requests, retries, dead letters."""
