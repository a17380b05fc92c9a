"""Receipts as people and programs read them, one after the other: JSON lines, CSV, STAC, text."""
