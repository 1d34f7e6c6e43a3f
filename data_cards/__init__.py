"""What we publish: traces assembled into a dataset with its card, its push, and the report."""
