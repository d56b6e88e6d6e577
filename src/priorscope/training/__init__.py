"""How a model is trained: one recipe for every run of a study."""
