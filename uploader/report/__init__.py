"""Everything that only reads: logs, sd_notify, status, progress, the dashboard. Nothing here decides."""
