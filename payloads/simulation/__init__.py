"""Seeded collisions in a CMS-like detector, the same bits on every machine."""
