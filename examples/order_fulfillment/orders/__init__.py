"""The steps of an order that are written in Python. The host imports this package; handlers.py has the steps."""
