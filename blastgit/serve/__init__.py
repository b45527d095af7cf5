"""The web interface, `blastgit serve`: pages for readers, a JSON twin of each, and the VO services beside them.

A page is a function that returns a document of plain values (`page.Page`); its JSON twin is that document, its HTML
a template filled with it. So the two cannot contradict each other. Pictures and plots are drawn on the server.
"""
