"""Patches that break one invariant each, and the proof that the fault matrix notices every one."""
