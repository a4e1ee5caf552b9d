"""The parts of tools/bench: one file per subject, `common.py` for what they share, `registry.py` for who is there."""
