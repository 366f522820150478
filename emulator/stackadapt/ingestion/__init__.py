"""What happens to accepted mutations: jobs, mappings, records, deletions, uploads, profile lists."""
