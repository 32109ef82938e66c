"""What log lines leave out."""

import logging


class ClientErrorFilter(logging.Filter):
    """No traceback for a request that is wrong itself: it is as long as forty lines, costs a client nothing, and its
    last line may quote what was sent. The line with status, path and id stays."""

    def filter(self, record: logging.LogRecord) -> bool:
        if 400 <= getattr(record, "status_code", 0) < 500:
            record.exc_info = record.exc_text = None
        return True
