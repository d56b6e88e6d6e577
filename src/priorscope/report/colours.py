"""The greys of figures and small pictures; what only needs these need not load the figures."""

CHANCE_GREY = "#757575"
INK, MUTED, GRID = "#1a1a1a", "#595959", "#e6e6e6"
