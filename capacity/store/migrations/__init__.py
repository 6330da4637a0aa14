"""Versions of the tables, oldest first. A script here is never changed once it was released."""
