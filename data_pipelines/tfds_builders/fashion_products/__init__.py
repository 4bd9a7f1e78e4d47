"""Builder of Fashion Product Images."""
