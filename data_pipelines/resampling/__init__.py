"""Which example is seen how often, decided before a pixel exists.

`policies` give a rate an example, `exposure` says what these will do, `plan` rounds
them to the draws of an epoch, and `carriers` turn either into a tf.data stream.
"""
