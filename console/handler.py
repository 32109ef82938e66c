"""Django's handler of requests, whose requests let go at their end what they held."""

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest


class Request(WSGIRequest):
    def close(self) -> None:
        """Forgets everything: Django calls it when the response has been sent. A request refers to itself, through the
        middleware that looks its person up later, so that Python would keep it, with its body, until the next look
        for garbage."""
        super().close()
        self.environ.clear()
        self.__dict__.clear()


class Handler(WSGIHandler):
    request_class = Request
