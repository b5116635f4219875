"""Runs inside a Python kernel, on the person's interpreter: what its variables hold.

Invariant: nothing that the person's own classes define is called, no library is imported that the
kernel has not imported itself, and no name is left behind in it.
"""
