"""The teacher's page: a class at a glance, live.

class status, and each student's API (modules.dashboard reads it) -> model -> picture (HTML, pure) -> modules.pages
"""
