"""Tests. A package, because snakeMQ installs one of the same name that would be found first."""
