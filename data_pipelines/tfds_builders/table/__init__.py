"""Builder of any table: `labels.csv` with a row an image."""
