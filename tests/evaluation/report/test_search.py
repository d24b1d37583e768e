"""The report's part about a search."""

from evaluation.report.search import search_part
from evaluation.tables.search import SearchRecord, Trial

TRIALS = [
    Trial(0, {"style": "<i>fire"}, ["a"], "done", [0.2, 0.5]),
    Trial(1, {"style": "ice"}, ["b"], "done", [0.1, 0.6]),
    Trial(2, {"style": "wool"}, ["c"], "done", [0.3, 0.9]),
    Trial(3, {"style": "oil"}, ["d"], "failed", reason="a bug"),
]


def test_the_front_of_a_search_stands_in_the_report_with_links():
    part = search_part(SearchRecord("nsga2", ["style_patch", "dists"], [True, False], 9, TRIALS))
    assert "4 of 9 trials (3 done, 0 stopped, 1 failed); 2 on the Pareto front" in part
    assert part.index("runs%2Fc") < part.index("runs%2Fa")  # the higher style first
    assert "runs%2Fb" not in part  # less style and more distance than trial 0
    assert "&lt;i&gt;fire" in part
    assert '<th scope="col">dists ↓</th>' in part


def test_the_best_trials_of_a_search_with_one_goal_are_in_order():
    trials = [Trial(k, {"seed": k}, [f"r{k}"], "done", [k % 7]) for k in range(14)]
    part = search_part(SearchRecord("tpe", ["dists"], [False], 14, trials))
    assert "best so far dists 0 by trial 0: seed 0" in part
    assert part.count("#gallery?run=") == 10
    assert part.index("runs%2Fr7") < part.index("runs%2Fr1")


def test_without_a_search_there_is_no_such_part():
    assert search_part(None) == ""
    assert search_part(SearchRecord("tpe", ["dists"], [False], 14)) == ""
