"""The order in which pull secrets are checked."""

from registries.domain.registry import Key
from registries.pull_secrets.due import Due


def keys(namespace: str, count: int) -> list[Key]:
    return [Key(namespace, f"r-{number}") for number in range(count)]


def taken(due: Due, now: float) -> list[Key]:
    return list(iter(lambda: due.take(now), None))


def test_namespaces_take_turns() -> None:
    due = Due()
    for key in (*keys("team-b", 1000), *keys("team-a", 2), *keys("team-c", 1)):
        due.put(key, 1.0)

    order = [it.namespace for it in taken(due, 2.0)]

    assert order[:5] == ["team-b", "team-a", "team-c", "team-b", "team-a"]
    assert order[5:] == ["team-b"] * 998


def test_a_namespace_that_is_changed_again_and_again_waits_for_the_others() -> None:
    due = Due()
    for key in (*keys("team-b", 10), *keys("team-a", 3)):
        due.put(key, 0.0)
    order = []
    for _ in range(6):
        key = due.take(1.0)
        assert key
        order.append(key.namespace)
        due.put(keys("team-b", 1)[0], 0.0)

    assert order == ["team-b", "team-a"] * 3


def test_what_is_due_later_waits() -> None:
    due, (one, two) = Due(), keys("team-a", 2)
    due.put(one, 5.0)
    due.put(two, 7.0)

    assert (due.take(4.0), due.first(9.0)) == (None, 5.0)
    due.put_earlier(two, 3.0)
    due.put_earlier(one, 8.0)
    due.put_later(one, 1.0)
    assert taken(due, 4.0) == [two]
    assert taken(due, 5.0) == [one]
    assert due.first(9.0) == 9.0
    assert not due.drop(one)
