"""Looks at the lake again and again, and holds it to its promise: what was there is there, and never twice."""

import time


class Watch:
    """What the earlier looks have seen, whichever reader it was."""

    def __init__(self):
        self._seen = set()
        #: Of each key the highest sequence.
        self._highest = {}
        self._looks = 0

    def look(self, reader):
        started = time.monotonic()
        changes, latest = reader.changes(), reader.latest_rows()
        ids = {row[0] for row in changes}
        last = {(row[1], row[2]): row[3] for row in latest}
        missing = self._seen - ids
        behind = [key for key, sequence in self._highest.items() if last.get(key, "") < sequence]
        self._seen |= ids
        for _, key, sort_key, sequence, _ in changes:
            if self._highest.get((key, sort_key), "") < sequence:
                self._highest[key, sort_key] = sequence
        self._looks += 1
        return {
            "look": self._looks,
            "reader": reader.name,
            "changes": len(ids),
            "missing": len(missing),
            "doubled": len(changes) - len(ids),
            "items": sum(1 for row in latest if row[4] != "REMOVE"),
            "itemsBehind": len(behind),
            "itemsDoubled": len(latest) - len(last),
            "milliseconds": round((time.monotonic() - started) * 1000),
            # Ids tell nobody what they stand for.
            "missingIds": sorted(missing)[:5],
        }
