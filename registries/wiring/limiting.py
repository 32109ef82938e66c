"""How much one person may ask of the console: rates over all processes, and seats in this one."""

from django.conf import settings

from registries.limits import LogInRates, Rates, Seats, StoredBuckets
from registries.wiring.base import Foundation, part

EXPORTS_AT_ONCE, EXPORTS_PER_MINUTE = 3, 6
"""Files of many entries: at once in one process, and of one person. One takes some seconds of the processor."""


class Limiting(Foundation):
    """Limits of requests."""

    @part
    def api_rates(self) -> Rates:
        return Rates(settings.API_RATE, StoredBuckets())

    @part
    def log_ins(self) -> LogInRates:
        return LogInRates.of(settings.AXES_FAILURE_LIMIT, StoredBuckets())

    @part
    def api_tests(self) -> Seats:
        """Tests that API clients wait for at once; one person gets half of the seats."""
        return Seats(settings.API_TESTS, each=settings.API_TESTS // 2)

    @part
    def api_watches(self) -> Seats:
        """Watches at once; one person gets half of the seats."""
        return Seats(settings.API_WATCHES, each=-(-settings.API_WATCHES // 2))

    @part
    def export_seats(self) -> Seats:
        """Files of many entries that are made at once; one for each person."""
        return Seats(EXPORTS_AT_ONCE, each=1)

    @part
    def export_rates(self) -> Rates:
        return Rates(EXPORTS_PER_MINUTE, StoredBuckets())
