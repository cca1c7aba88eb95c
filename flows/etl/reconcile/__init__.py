"""Reconciliation: publisher, log, lake, warehouse and ledger held against each other, and mended where asked.

`facts` asks all five, `divergence` compares what they said, `twice` does both again where they differ, `mend` acts.
"""
