"""Atelier Studio: a page on which people try stylization, and what lies between it and the engine.

`tasks` says what is done, `worker` the process in which it is done, `desk` the queue for it;
`sessions`, `uploads` and `guard` keep people's files apart. None of these modules needs Gradio.
"""
