"""What people expect after a least-squares fit: standard errors, tests, intervals, diagnostics."""
