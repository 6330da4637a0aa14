"""Outlook → text, one pure function a format."""
