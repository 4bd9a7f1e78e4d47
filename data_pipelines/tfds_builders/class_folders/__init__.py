"""Builder of a folder of classes."""
