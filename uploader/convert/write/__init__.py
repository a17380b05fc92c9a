"""The COG: written, finished, compared with its source, and brought to its place."""
