"""What can be done with a study, from Python; `priorscope` offers it and the commands call it."""
