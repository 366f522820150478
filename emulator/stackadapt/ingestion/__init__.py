"""How accepted mutations take effect: jobs, mappings, records, deletions, uploads, profile lists."""
