"""What people look at: how partitions stand, in a terminal, as a picture and as a page. No module here asks anybody.

`board` says what is drawn, `text` draws it in a terminal, `picture` with matplotlib, `page` as HTML around a picture.
"""

from flows.etl.errors import Terminal


class NotInstalled(Terminal):
    """A package that only some installations have, and that what was asked for needs."""
