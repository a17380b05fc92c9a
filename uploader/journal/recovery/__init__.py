"""What rebuilds a journal: copies of it, what can be saved of a damaged one, and what the platform still shows."""
