"""Access reviews of many people share few threads."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from registries.people.fair_threads import FairThreads


def test_a_person_with_few_questions_does_not_wait_for_one_with_many() -> None:
    """One thread, which begins when all have asked: the order is the same on each machine."""
    threads, all_asked = FairThreads(1, "review"), threading.Event()
    answered: list[str] = []

    def ask(name: str) -> None:
        assert all_asked.wait(60)
        answered.append(name)

    many = [threads.of("greedy").submit(ask, "greedy") for _ in range(200)]
    few = [threads.of("other").submit(ask, "other") for _ in range(5)]
    all_asked.set()
    for it in (*many, *few):
        it.result(60)

    first, rest = answered[:11], answered[11:]
    assert first.count("other") == 5, "they took turns"
    assert rest == ["greedy"] * 194


def test_answers_come_in_order_and_errors_to_the_one_who_asked() -> None:
    threads = FairThreads(4, "review")

    assert list(threads.of("a").map(lambda it: it * it, range(100))) == [it * it for it in range(100)]
    with pytest.raises(ZeroDivisionError):
        list(threads.of("a").map(lambda it: 1 // it, [1, 0, 1]))
    assert list(threads.of("a").map(str, [1])) == ["1"]


def test_never_more_threads_than_that() -> None:
    threads, lock = FairThreads(3, "few"), threading.Lock()
    running, most = 0, 0

    def work(_: int) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.001)
        with lock:
            running -= 1

    with ThreadPoolExecutor(8) as people:
        for _ in people.map(lambda name: list(threads.of(str(name)).map(work, range(20))), range(8)):
            pass

    assert most == 3
    assert sum(it.name == "few" for it in threading.enumerate()) <= 3
