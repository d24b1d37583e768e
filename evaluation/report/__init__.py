"""A report of many runs: a folder with a page that opens without a network.

    runs -> page_model (values) + pictures (small files) + plots + tables -> write (the folder)

`write.write_report` does it all; except for `pictures` and `details`, the other modules are pure.
"""
