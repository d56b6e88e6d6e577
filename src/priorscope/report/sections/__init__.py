"""The sections of the page, one file each: its sentences, tables and figures together.

A section is a function from the results of a study to a `Section`, or to None where there is
nothing of it. A study without factors is one with a single cell: `section.in_cells` makes what each
cell has, in view for one, folded away by cell for several. `page.SECTIONS` has their order.
"""
