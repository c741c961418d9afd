"""Training stacks of linear layers on a CPU with compiled kernels, whole epochs at a time."""
