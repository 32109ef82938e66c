"""Telling people: changes of registries go into an outbox, and from there to channels.

`channels` keeps where to send, `outbox` what to send, `sender` sends it, `services/` has one file per service.
"""
