"""GPT-Code UI: a local code interpreter with a page.

Three processes, and who lives where; a module imports only what stands above it here:

    values            protocol, errors
    parts             settings, store/ (the event log), transcript/ (its folds), workspace/ (files),
                      bus/ (the queue between 1 and 2)
    1 gptcode         agent (the loop) and calls, behind ports: openai_model, demo_model/, approval
                      (asks first, with risk/ to read the code); publisher and
                      subscription (number, store, fan out), turns, conversations,
                      supervisor and kernel/client (towards 2), web/ (the page's door),
                      program (builds and ends everything), cli
    2 kernel manager  kernel/manager, session, jupyter/, outputs
    3 kernel          under kernel/warden, which leaves nothing of it behind; kernel/startup and
                      kernel/inside run in it, on the person's Python

A turn: web/api -> conversations -> turns -> agent -> openai_model -> code -> kernel/client -> bus
-> kernel/manager -> the kernel, and its output back the same way to the publisher, which stores it
and hands it to web/stream. tests/test_layers.py holds this picture true.
"""

__version__ = "1.0.0"
