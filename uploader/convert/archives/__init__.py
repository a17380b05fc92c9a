"""Archives, read in the confined child: what they hold, and what of it is wanted, written under names of ours."""
