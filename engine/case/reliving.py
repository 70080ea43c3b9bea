"""A recorded entry happens again: causes are obeyed, consequences compared with what the model says."""

from __future__ import annotations

from collections import deque
from datetime import datetime

from engine import events as ev
from engine.errors import EngineError, ReplayMismatch
from engine.events import Cause, Consequence, Entry, Json, Who


class Reliving:
    """The part of a case that replays. `engine.case.case` holds the part that lives."""

    case_id: str
    seq: int
    at: datetime
    _expected: deque[Consequence]

    def _drive(self, cause: Cause, by: Who, now: datetime) -> list[Consequence]:
        """Obey the cause and answer what follows, in order."""
        raise NotImplementedError

    def relive(self, entry: Entry) -> None:
        """One recorded entry happens again. Raises ReplayMismatch where the model says otherwise."""
        match entry.event:
            case Cause() as cause:
                self.end_of_replay()
                self._expected.extend(self._driven_again(entry, cause))
            case Consequence() as recorded:
                recomputed = self._expected.popleft() if self._expected else None
                if recomputed is None or not same(recorded, recomputed):
                    raise ReplayMismatch(
                        self.case_id, entry.seq, recorded=said(recorded), recomputed=said(recomputed)
                    )
        self.seq = entry.seq
        self.at = entry.at

    def end_of_replay(self) -> None:
        """Raises ReplayMismatch if the model expects a consequence that was not recorded."""
        if self._expected:
            raise ReplayMismatch(
                self.case_id, self.seq + 1, recorded=None, recomputed=said(self._expected[0])
            )

    def _driven_again(self, entry: Entry, cause: Cause) -> list[Consequence]:
        try:
            return self._drive(cause, entry.who, entry.at)
        except (EngineError, LookupError) as error:  # a cause about a task or timer the model never made
            raise ReplayMismatch(
                self.case_id, entry.seq, recorded=said(cause), recomputed=f"{type(error).__name__}: {error}"
            ) from error


def same(recorded: Consequence, recomputed: Consequence) -> bool:
    return type(recorded) is type(recomputed) and recorded.data() == recomputed.data()


def said(event: ev.Event | None) -> Json:
    return None if event is None else {"type": type(event).__name__, **event.data()}
