"""What the daemon was told: a file, the environment and options, in order of growing precedence."""
