"""Tables of numbers that other tools wrote: one reader, one set of rules, nothing guessed."""

from priorscope.tables._no_class import SUM_TOLERANCE
from priorscope.tables.classes import Classes, settle_classes
from priorscope.tables.read import FORMATS, NamedArray, read_table, read_tables
from priorscope.tables.reading import Reading, read_names
from priorscope.tables.rows import match_rows
from priorscope.tables.table import Table

__all__ = [
    "FORMATS",
    "SUM_TOLERANCE",
    "Classes",
    "NamedArray",
    "Reading",
    "Table",
    "match_rows",
    "read_names",
    "read_table",
    "read_tables",
    "settle_classes",
]
