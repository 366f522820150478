"""The console: pages at `/` and `/console/…` that show both services and act on them through the control API.

How it is built, and why:

- Pages are rendered on the server with Jinja2, which Flask brings: no build, no Node, no asset of others, and a page
  is complete at its first paint, whatever is stored. A few small ES modules under `static/` add what HTML cannot:
  actions, live updates, keys, copying. The whole console is some 20 kB; Bootstrap's style sheet alone is ten times
  that, and frameworks that evaluate expressions in attributes need `unsafe-eval`.
- Pages have no data of their own. `control_api.py` asks the control API in process, with the sandbox and the
  credentials of the page's request, and the table in `actions.py` names the operation of every button. What the
  console can do, the control API can do.
- Everything is escaped, and addresses are masked, where templates print values (`templating.py`), not screen by screen.
- With a control token, a form asks for it and keeps a key derived from it in a cookie that scripts cannot read and
  that browsers send from the console's own pages only. Session storage would leave the token to any script, and
  a server that renders pages could not read it.

`emulator.server` imports this package when a page is first opened. To add a screen: a module under `screens/`, a
template, and a row in `screens/__init__.py`.
"""

from emulator.console.html_pages import respond

__all__ = ["respond"]
