"""What is right and what is wrong with a place that Landfall runs from, and what to do: one function a check.

`checks.py` lists them. A check is given what is `seen` so far, asks only what changes nothing, and returns findings.
"""
