"""Why a model errs.

`errors_to_explain` chooses errors from predictions; `grad_cam`, `saliency` and
`occlusion` map what a label's logit rests on; `cases` takes all three of many errors at
once; `maps` turns them into pictures; `pointing` measures them against masks where the
data know what lies where. `explainable` holds the form of model that all of them take.

`errors_to_explain`, `maps` and `pointing` import without TensorFlow. A map shows what
the model used, not what would have been right.
"""
