"""Overviews over arrays: which pixels they cover, how they are made, whether they show what they stand for."""
