"""What people are shown of the settlement."""
