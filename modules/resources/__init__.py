"""Pulumi dynamic resources, one file each: the only code that changes the outside world.

State holds `module:class` of every provider (tests/resources/test_names.py pins them): files here never move.
"""
