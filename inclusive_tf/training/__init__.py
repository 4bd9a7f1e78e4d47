"""Learning: `loop` takes the steps, `schedules` the rates, `checkpoints` keep them."""
