"""What may be wrong with labels, classes and images, told from predictions."""
