"""The stack file, understood: model (typed), parse (all problems at once), plan (names and addresses). Pure."""
