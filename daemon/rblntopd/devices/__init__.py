"""What the host and its devices say of themselves."""
