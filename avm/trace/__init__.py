"""Traces: taking states from the previous and the current one, merging them, writing the result."""
