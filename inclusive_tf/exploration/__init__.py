"""A data set looked at before training: figures, and one interactive page of them.

    label table ──► figures (a dict, ready for JSON) ──► findings, plots ──► page
    images      ──► pictures (measured, thumbnails)  ──┘

`figures.gather` returns every number that the page shows; `page.render` adds none. A
module has one kind of figure each: `frequency`, `co_occurrence`, `groups`, `shift`,
`confidence`, `light`, `sheets`. Those of the table are NumPy and SciPy on sparse
labels; TensorFlow is imported only where images are read, plotly only where plots are
made.
"""
