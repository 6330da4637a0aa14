"""Pages for people; every page has its .json twin. No logic in templates."""
