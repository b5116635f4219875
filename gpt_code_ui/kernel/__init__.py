"""The kernel side: warden (a kernel's parent), sandbox, outputs, jupyter, session, manager; client.

``client`` runs in the web process, ``warden`` alone above each kernel, the rest in the manager.
"""
