"""What a study declares: read from a file, checked, and planned as runs. No torch here."""
