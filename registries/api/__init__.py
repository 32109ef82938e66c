"""The REST API (api.md): callers, bodies, errors as Status, and the OpenAPI document."""
