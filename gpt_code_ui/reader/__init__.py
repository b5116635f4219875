"""The reader: a short-lived process that looks into files of the person, and nothing else.

It gets open files and never a path, runs under limits (``limits``) and answers in JSON. Standard
library and optional format libraries only: nothing here is imported by the web process.
"""
