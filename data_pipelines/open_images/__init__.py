"""Annotation files of Open Images and of the Inclusive Images Challenge.

published, challenge_truth, lists   which files there are; the small ones
csv_files, kinds, image_ids         columns of the large ones, checked
annotations, boxes                  human, machine and box rows, brought together
fusion, per_image, fusion_report    one set of labels, and what that did
fused, parts                        fused labels with notes, and label tables of them
facts                               what only these files know
"""
