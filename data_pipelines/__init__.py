"""What becomes a batch.

`sources` read a layout into a label table, `resampling` decides from that table which
examples an epoch shows, `images` is the one road from bytes to pixels, `augmentation`
varies them, `batches` puts the stages in order, and `quality` finds unreadable files.
"""
