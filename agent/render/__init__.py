"""Profile → text of some kind. One pure function each: rendering never computes and never looks at the machine."""
