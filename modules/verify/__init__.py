"""`stacklab verify`: reaches a running lab from where its users stand. Changes nothing but a namespace of its own.

outputs + stack file -> lab.Lab -> checks.of(lab) -> run.verify(...) -> findings -> table, JSON, exit status
"""
