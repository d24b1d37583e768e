"""A user study: blind pairs on one page, votes in SQLite, shares and Bradley-Terry scores.

runs.py reads what the systems made, pairs.py chooses the pairs, page.py and page.html show them,
key.py tells which side is which system, votes.py and server.py keep the votes, ratings.py scores.
"""
