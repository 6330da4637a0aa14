"""Recorded hosts: made from published facts (published/), and recorded on lab machines (recorded/)."""
