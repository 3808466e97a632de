"""Data on the wire: envelope, archive, the five stores and their checks, canonical JSON, MessagePack, views for people."""
