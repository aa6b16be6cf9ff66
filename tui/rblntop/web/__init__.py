"""The dashboard in a browser on the same machine."""
