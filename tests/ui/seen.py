"""What a person sees of Prefect's UI, and pictures of it for the documentation.

`PICTURES` names the folder that pictures are written to; without it none is.
"""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Locator, Page

SIZE = {"width": 1360, "height": 800}
COLOURS = 256  # of a picture: a third of its bytes, and no eye sees it
PATIENT_MS = 60_000  # of a machine that is busy


@dataclass
class Seen:
    """A page of the UI, `base` its address; `problems` are the errors that its scripts did not catch."""

    page: Page
    base: str
    problems: list[str]

    @classmethod
    @contextmanager
    def signed_in(cls, browser: Browser, server: str, password: str) -> Iterator["Seen"]:
        """Open the UI as its address is printed, and give the password that it asks for."""
        with browser.new_context(viewport=SIZE, reduced_motion="reduce", timezone_id="UTC", locale="en-US") as context:  # type: ignore[arg-type]
            context.set_default_timeout(PATIENT_MS)
            page = context.new_page()
            problems: list[str] = []
            page.on("pageerror", lambda error: problems.append(str(error)))
            page.goto(server, wait_until="domcontentloaded")
            page.get_by_placeholder("admin:pass").fill(password)
            page.get_by_role("button", name="Login").click()
            page.wait_for_url("**/dashboard**", wait_until="domcontentloaded")
            yield cls(page, page.url.partition("/dashboard")[0], problems)

    def go(self, path: str, *shown: str) -> None:
        """Open a page, and wait until these words are there."""
        self.page.goto(f"{self.base}{path}", wait_until="domcontentloaded")
        for text in shown:
            self.text(text).wait_for()

    def text(self, text: str) -> Locator:
        """Find words, wherever they are."""
        return self.page.get_by_text(text).first

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def picture(self, name: str, *, whole: bool = False, settled_ms: int = 1500) -> None:
        """Take a picture for the documentation, of what is in sight or of the whole page.

        What a script draws on a canvas has no end that could be waited for: it is given a while. The logos of blocks
        are read from another host, which a laptop by itself does not reach.
        """
        if not (folder := os.environ.get("PICTURES")):
            return
        self.page.wait_for_timeout(settled_ms)
        no_logos = "img[src^='https://'] { visibility: hidden }"
        taken = self.page.screenshot(full_page=whole, animations="disabled", caret="hide", style=no_logos)
        Path(folder).mkdir(parents=True, exist_ok=True)
        with Image.open(io.BytesIO(taken)) as image:
            image.convert("RGB").quantize(COLOURS).save(Path(folder) / f"{name}.png", optimize=True)
