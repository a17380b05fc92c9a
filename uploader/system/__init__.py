"""What the kernel is asked for: files, threads, leases, locks, limits. Knows nothing of rasters and sessions."""
