"""The review page: suspects before a person, whose decisions become corrections.

`app` is the web page and what guards it, `desk` what a person does at it, `queue` what
is to be looked at, `replay` the labels as they are after all decisions, and `exports`
what others read of them. The log itself is `data_pipelines.decision_log`.
"""
