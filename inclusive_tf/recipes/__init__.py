"""Recipes: a system from data to decisions, and studies that compare several.

`recipe` says what a recipe is made of, `running` runs one, `record` is what is kept of
it, `study` makes tables of records.
"""
