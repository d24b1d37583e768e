"""One folder to look at: what many runs say, as a page that opens without a network.

    runs -> data (what the page says) + pictures (small files) + plots -> write (the folder)

`write.write_report` does it all; the other modules are pure but for `pictures` and `details`.
"""
