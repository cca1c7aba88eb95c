"""Faults at every boundary of the chain, from outside, and what must hold after each."""
