"""What the screen says, as lines of text: the same for the dashboard, ``--once`` and ``rblnctl``."""
