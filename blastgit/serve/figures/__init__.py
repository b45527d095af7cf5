"""Plots as SVG inside a page: drawn on the server, so they need no JavaScript and follow the page's colours."""
