"""The page: a terminal, and nothing from anywhere else."""

from __future__ import annotations

from html import escape

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/static/css/xterm.css">
<style>
@font-face {{
  font-family: "Roboto Mono"; font-weight: 100 700; font-style: normal;
  src: url("/static/fonts/RobotoMono-VariableFont_wght.ttf") format("truetype");
}}
body {{ background: #0e131a; margin: 0; overflow: hidden; }}
.note {{
  display: none; position: absolute; inset: 0; z-index: 10; align-items: center; justify-content: center;
  background: #0e131acc; color: #c3ccd8; font: 16px "Roboto Mono", monospace;
}}
body.-closed .note {{ display: flex; }}
.note a {{ color: #7fb4f5; margin-left: 1em; }}
</style>
<script src="/static/js/textual.js"></script>
</head>
<body>
<div class="note">rblntop has ended.<a href="/">Start again</a></div>
<div id="terminal" class="textual-terminal" data-session-websocket-url="{socket}" data-font-size="{size}">
</div>
</body>
</html>
"""


def page(title: str, socket_url: str, font_size: int) -> str:
    """The page, with the terminal on that socket."""
    return PAGE.format(title=escape(title), socket=escape(socket_url, quote=True), size=font_size)
