"""The cage around code that a model wrote: what it can read, write and reach, decided file by file.

``environment`` the variables, ``fonts`` for figures, ``needs`` what a program has to read,
``places`` which of that may be seen, ``bwrap`` and ``landlock`` the two cages, ``seccomp`` the
system calls, ``ladder`` which cage this machine has, found by running it. Invariant: a cage is
made of what is named; what nobody named (home, keys, the data folder, the network) is not in it.
"""
