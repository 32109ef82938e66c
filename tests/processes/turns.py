"""Turns without threads, for tests."""

from collections import Counter

from console.turns import Turn, Turns

THREADS = 24
COOKIE = "sessionid"


class Threads:
    """Turns of which each one goes on until the test ends it."""

    def __init__(self, threads: int = THREADS) -> None:
        self.turns = Turns(threads)
        self.at_work: list[Turn] = []
        self.refused: list[Turn] = []

    def ask(self, session: str, times: int = 1, address: str = "10.0.0.1", size: int = 0) -> list[Turn]:
        credential = self.turns.people.credential(head(session), COOKIE)
        return [self.turns.add(credential, address, self._start, size) for _ in range(times)]

    def _start(self, turn: Turn) -> None:
        (self.refused if turn.late else self.at_work).append(turn)

    def end(self, turn: Turn, person: str | None = None) -> None:
        turn.person = person
        self.at_work.remove(turn)
        self.turns.end(turn)

    def slow(self, session: str, person: str) -> None:
        """This person has been told to slow down, a while ago."""
        (turn,) = self.ask(session)
        turn.refused = True
        self.end(turn, person)

    def know(self, session: str, person: str) -> None:
        """A request of this session has been answered."""
        self.end(*self.ask(session), person)

    def wait(self) -> None:
        """All requests under way wait for a server or a lock, as their threads would show."""
        for turn in self.at_work:
            turn.waits = True
        self.turns.look()

    def count(self) -> Counter[str]:
        return Counter(it.sender for it in self.at_work)


def head(session: str, token: str = "") -> bytes:
    bearer = f"Authorization: Bearer {token}\r\n" if token else ""
    return f"GET / HTTP/1.1\r\nHost: x\r\n{bearer}Cookie: csrftoken=1; sessionid={session}\r\n\r\n".encode()
