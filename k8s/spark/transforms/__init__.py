"""Pure transforms from DataFrame to DataFrame: no I/O, no Python UDFs."""
