"""What every layer stands on: errors, the one door to other programs, paths, probes. Imports nothing of ours."""
