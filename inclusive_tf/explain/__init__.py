"""Why a model errs.

`errors_to_explain` and `errors_by_part` rank the errors of predictions, `choosing`
takes from the rankings. `grad_cam` (with Grad-CAM++ and Layer-CAM), `score_cam`,
`saliency` (with SmoothGrad) and `occlusion` map what a label's logit rests on; `cases`
takes all of many errors at once, and `methods` says what each shows.
`feature_visualisation` grows what a label likes to see, `training_examples` finds what
an error resembles. `maps` turns maps into pictures, `gallery` keeps them.
`faithfulness` and `pointing` ask whether maps are to be believed, and `checks` sums
their answers up. `explainable` holds the form of model that all of them take, `subject`
what is explained.

`choosing`, `methods`, `maps` and `pointing` import without TensorFlow. A map shows what
the model used, not what would have been right.
"""
