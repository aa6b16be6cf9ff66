"""What is installed, what runs, and what stands in the way: facts are gathered, then judged, then printed."""
