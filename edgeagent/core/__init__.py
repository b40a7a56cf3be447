"""The pipeline: the order of the steps, without I/O."""
