"""What a kernel reaches of the network: a proxy that is shut, or forwards and counts.

``forwarder`` is its end inside the cage, ``door`` its end here: one socket a kernel. ``state``
says what it forwards, ``head`` reads requests, ``addresses`` says which may be dialled,
``upstream`` dials, ``ledger`` counts.
Invariant: a caged kernel has no other way out, so what is not forwarded here is not reached.
"""

from gpt_code_ui.kernel.network.addresses import Reach
from gpt_code_ui.kernel.network.door import SOCKET
from gpt_code_ui.kernel.network.state import Network, Outside
from gpt_code_ui.kernel.network.upstream import Upstream

__all__ = ["SOCKET", "Network", "Outside", "Reach", "Upstream"]
