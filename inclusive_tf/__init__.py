"""What is learnt and what is said about it.

`models`, `losses`, `metrics` and `training` learn; `inference` writes `predictions`;
`adaptation` and `evaluation` are NumPy on those; `explain` and `report` show why a
model errs; `export` writes what serves. Parts that read predictions only import
without TensorFlow.
"""
