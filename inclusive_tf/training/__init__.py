"""Learning: `loop` steps, `optimizers` say how far, `checkpoints` keep what came."""
