"""A browser without a window, told what to do through a pipe."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATH = next(filter(None, map(shutil.which, NAMES)), None)
OPTIONS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--window-size=1200,900"),
    "--remote-debugging-pipe",
]


class Page:
    """One page of a browser, by the protocol of its developer tools."""

    def __init__(self, to_browser, from_browser):
        self._to, self._from = to_browser, from_browser
        self._number = 0
        self._session = {}
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = {"sessionId": attached["sessionId"]}

    def call(self, method, **parameters):
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters, **self._session}
        self._to.write(json.dumps(message).encode() + b"\0")
        self._to.flush()
        while True:
            answer = json.loads(self._read())
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def _read(self):
        text = bytearray()
        while (byte := self._from.read(1)) != b"\0":
            assert byte, "the browser has gone"
            text += byte
        return bytes(text)

    def open(self, url):
        self.call("Page.navigate", url=url)

    def evaluate(self, script):
        """What a script answers, as JSON has it; a promise is waited for."""
        found = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def wait_for(self, script, seconds=60):
        end = time.monotonic() + seconds
        while not (found := self.evaluate(script)):
            assert time.monotonic() < end, f"not so in {seconds} s: {script}"
            time.sleep(0.2)
        return found


GIVE = """# The browser reads from 3 and writes to 4. In a process of its own: a fork disturbs JAX.
import os, sys
os.dup2(int(sys.argv[1]), 93)
os.dup2(int(sys.argv[2]), 94)
os.dup2(93, 3)
os.dup2(94, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


@contextlib.contextmanager
def page(profile):
    """A page of a browser that keeps its files in the folder ``profile``."""
    ours, its = os.pipe(), os.pipe()  # from the browser, to the browser

    process = subprocess.Popen(
        [
            *(sys.executable, "-c", GIVE, str(its[0]), str(ours[1])),
            *(PATH, *OPTIONS, f"--user-data-dir={profile}"),
        ],
        pass_fds=(its[0], ours[1]),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(ours[1])
    os.close(its[0])
    with open(its[1], "wb") as to_browser, open(ours[0], "rb") as from_browser:
        try:
            yield Page(to_browser, from_browser)
        finally:
            process.terminate()
            process.wait(20)
