"""Values of components that change twice before a page shows them."""

import pytest

FIRST, SKIP = {"interactive": True, "__type__": "update"}, {"__type__": "update"}


@pytest.mark.xdist_group("gradio")  # one worker imports it, which takes seconds
def test_a_later_value_takes_the_place_of_the_first_and_edits_nothing_in_it():
    gr = pytest.importorskip("gradio", reason="needs the extra [studio]")
    from experiments.studio.whole_values import send_whole_values

    with gr.Blocks() as page:
        button, table = gr.Button(), gr.Dataframe()
        button.click(lambda: None, None, [button, table])
    send_whole_values(page)
    (function,) = page.fns.values()

    def send(*values, final=False):
        return page.handle_streaming_diffs(function, list(values), "tab", "run", final)

    rows = {"data": [["cat"]]}
    assert send(FIRST, rows) == [FIRST, rows]
    assert send(SKIP, rows) == [[["replace", [], SKIP]], []]
    assert send(FIRST, SKIP) == [[["replace", [], FIRST]], [["replace", [], SKIP]]]
    assert send(None, None, final=True) == [FIRST, SKIP]
    assert send(SKIP, rows) == [SKIP, rows]  # of the next run
