"""The Tracking API below HTTP: request bodies, calls, deduplication."""
