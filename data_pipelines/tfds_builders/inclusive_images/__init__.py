"""Builder of the Inclusive Images Challenge."""
