"""A user study: blind pairs on one page, votes in SQLite, shares and Bradley-Terry scores.

runs.py reads the systems' works, pairs.py draws the pairs, page.py and page.html show them,
answer_key.py maps the sides to systems, votes.py and server.py store the votes, ratings.py scores
them; study.py does it all, and tables.py prints the result.
"""
