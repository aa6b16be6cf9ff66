"""Steps for other tools: a trace for Perfetto, tables, lines of JSON. Knows no daemon and no screen."""
