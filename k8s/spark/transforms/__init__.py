"""Pure transforms: DataFrame in, DataFrame out. No input, no output, no Python functions on rows."""
