"""Writers of tables, one module per format.

For machines (csv, json, parquet) numbers are exact; for people (text, markdown, latex) they are
rounded, with arrows for the better direction and the best in bold.
"""
