"""Ages, lengths of time and dates that run out, in words."""

from datetime import date, datetime, timedelta

from django.utils.translation import gettext, ngettext

from registries.domain.registry import Ending, RegistrySecret


def age(moment: datetime, now: datetime) -> tuple[str, int]:
    """The time since a moment as one unit: now, minutes, hours or days."""
    minutes = max(0, int((now - moment).total_seconds())) // 60
    if minutes < 1:
        return "now", 0
    if minutes < 60:
        return "minutes", minutes
    if minutes < 24 * 60:
        return "hours", minutes // 60
    return "days", minutes // (24 * 60)


def ago(moment: datetime | None, now: datetime) -> str:
    """The age of a moment in words; "" without one."""
    if moment is None:
        return ""
    unit, n = age(moment, now)
    if unit == "now":
        return gettext("just now")
    if unit == "minutes":
        return ngettext("%(n)d minute ago", "%(n)d minutes ago", n) % {"n": n}
    if unit == "hours":
        return ngettext("%(n)d hour ago", "%(n)d hours ago", n) % {"n": n}
    return ngettext("%(n)d day ago", "%(n)d days ago", n) % {"n": n}


def span(length: timedelta) -> str:
    """A length of time in its largest unit, at least a minute: 5 min, 3 h, 2 d. What is begun does not count, as in
    `ago`: two texts about one moment agree."""
    minutes = max(1, int(length.total_seconds()) // 60)
    if minutes < 60:
        return gettext("%(n)d min") % {"n": minutes}
    if minutes < 48 * 60:
        return gettext("%(n)d h") % {"n": minutes // 60}
    return gettext("%(n)d d") % {"n": minutes // (24 * 60)}


def every(interval: timedelta | None) -> str:
    """An interval of checks; None: off."""
    return gettext("every %(span)s") % {"span": whole_span(interval)} if interval else gettext("off")


def whole_span(length: timedelta) -> str:
    """A length of time, exact to the minute, in the largest unit that divides it: 90 min, 6 h, 2 d."""
    minutes = round(length.total_seconds() / 60)
    return gettext("%(n)d min") % {"n": minutes} if minutes % 60 else span(length)


def next_expiry(registry: RegistrySecret, today: date) -> str:
    """What expires first, in words, if that is within 30 days; else ""."""
    return expiry(*registry.endings[0], today) if registry.expires_soon(today) else ""


def expiry(last: date, what: Ending, today: date) -> str:
    """When a credential or a certificate expires, in words."""
    n = (last - today).days
    if what is Ending.CERTIFICATE:
        if n < 0:
            return gettext("Certificate expired on %(day)s") % {"day": last.isoformat()}
        if n == 0:
            return gettext("Certificate expires today")
        return ngettext("Certificate expires in %(n)d day", "Certificate expires in %(n)d days", n) % {"n": n}
    if n < 0:
        return gettext("Expired on %(day)s") % {"day": last.isoformat()}
    if n == 0:
        return gettext("Expires today")
    return ngettext("Expires in %(n)d day", "Expires in %(n)d days", n) % {"n": n}


def old_password(age: timedelta, limit: int) -> str:
    """That a password is older than `limit` days; "" for a younger one, and without a limit (0)."""
    n = age.days
    if not 0 < limit <= n:
        return ""
    text = ngettext("%(n)d day old", "%(n)d days old", n)
    return gettext("%(age)s; change it every %(limit)d days") % {"age": text % {"n": n}, "limit": limit}


def duration(milliseconds: float) -> str:
    """A duration with its unit: <1 ms, 12 ms, 1.4 s."""
    if milliseconds < 0.5:
        return "<1 ms"
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"
