"""One kernel as Jupyter speaks to it; the only user of jupyter_client and zmq.

Everything runs on one event loop, with plain sockets whose descriptors the loop watches: a message
costs one callback. Invariant: what a kernel sends is untrusted; a message that is not signed, not
whole or not of the protocol is logged and dropped.
"""

from gpt_code_ui.kernel.jupyter.kernel import Context, JupyterKernel
from gpt_code_ui.kernel.jupyter.launch import kernel_command, make_run_dir
from gpt_code_ui.kernel.jupyter.messages import (
    Answered,
    Asked,
    Began,
    Cleared,
    Idle,
    KernelMessage,
    Replied,
    Shown,
    Updated,
)

__all__ = [
    "Answered",
    "Asked",
    "Began",
    "Cleared",
    "Context",
    "Idle",
    "JupyterKernel",
    "KernelMessage",
    "Replied",
    "Shown",
    "Updated",
    "kernel_command",
    "make_run_dir",
]
