"""Server-sent events out of the bytes of a stream, cut anywhere."""


class EventLines:
    """Splits bytes into server-sent events: (name, data) pairs.

    Lines end in LF or CRLF only: other line ends may stand inside the JSON.
    """

    def __init__(self) -> None:
        self._line: list[bytes] = []
        self._name = ""
        self._data: list[bytes] = []

    def feed(self, data: bytes) -> list[tuple[str, bytes]]:
        """The events that this piece completes."""
        *lines, rest = data.split(b"\n")
        events: list[tuple[str, bytes]] = []
        for line in lines:
            if self._line:
                line = b"".join([*self._line, line])
                self._line.clear()
            self._take(line.rstrip(b"\r"), events)
        if rest:
            self._line.append(rest)
        return events

    def end(self) -> list[tuple[str, bytes]]:
        """The event that the end of the stream left without its empty line."""
        return self.feed(b"\n\n")

    def _take(self, line: bytes, events: list[tuple[str, bytes]]) -> None:
        if line.startswith(b"data:"):
            self._data.append(line[5:].strip())
        elif line.startswith(b"event:"):
            self._name = line[6:].strip().decode("utf-8", "replace")
        elif not line:
            if self._data:
                events.append((self._name, b"\n".join(self._data)))
            self._name, self._data = "", []
