"""Version 1 of the API, package `rblntop.v1`."""
