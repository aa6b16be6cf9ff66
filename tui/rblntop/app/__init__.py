"""The dashboard: a thin Textual front over blocks, board and source."""
