"""Faults that an index has to survive: each test breaks something and waits for it to be well."""
