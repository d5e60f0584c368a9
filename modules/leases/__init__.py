"""Leases of a cluster that was started again: those of its nodes come to life, those of leaders that are gone end."""
