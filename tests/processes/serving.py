"""Processes of a console, for tests: whether they run, their children, and a log-in."""

import http.cookiejar
import subprocess
import urllib.request
from pathlib import Path

from tests.peers.command import LONG, Serving


def is_running(pid: int) -> bool:
    """Not one that has ended, and that whoever inherited it has not noticed."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def children_of(pid: int) -> list[int]:
    listing = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
    pairs = (line.split() for line in listing.stdout.splitlines())
    return [int(child) for child, parent in pairs if int(parent) == pid]


def log_in(console: Serving, person: str, password: str) -> urllib.request.OpenerDirector:
    jar = http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    url = f"http://127.0.0.1:{console.port}/login/"
    opener.open(url, timeout=LONG).read()
    token = next(cookie.value for cookie in jar if cookie.name == "csrftoken")
    form = {"username": person, "password": password, "csrfmiddlewaretoken": token or ""}
    request = urllib.request.Request(url, urllib.parse.urlencode(form).encode(), {"Referer": url})
    opener.open(request, timeout=LONG).read()
    return opener
