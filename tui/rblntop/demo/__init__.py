"""Demos: an engine without a device, a daemon for it, and the dashboard; all gone when it is left."""
