"""Load by Locust: what is sent, how it is compared, and kills in the middle of it."""
