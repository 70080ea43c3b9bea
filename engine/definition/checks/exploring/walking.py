"""Trying every choice on one level: the states its tokens can come to, within a bound.

Tokens that need nothing from each other are moved one after the other and not in every order, which
finds the same dead ends. As in the engine, everything automatic happens before anybody is waited for,
and an inclusive join looks only then whether it is complete.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from engine.definition.checks.exploring.around import Thrown
from engine.definition.checks.exploring.net import ON, WAITING, Move, Net, Token
from engine.definition.shapes import GATEWAYS
from engine.expressions.budget import Budget, ExpressionError

MOST_WORK = 400_000
"""Tokens looked at in all states of a drawing together; about half a second."""

Spent = tuple[tuple[int, int], ...]
State = tuple[tuple[Token, ...], Spent]
Step = tuple[State, Move, int]
"""The state after a move, the move, and the element that was left."""


@dataclass
class Bound:
    """How much may still be looked at; the levels of a drawing share it."""

    left: int = MOST_WORK

    def spend(self, tokens: int) -> None:
        """So many tokens were looked at."""
        self.left -= tokens + 1


@dataclass
class Walked:
    """What was found: the states with their successors, the first stuck state of each join, and more."""

    states: list[State] = field(default_factory=list)
    before: list[tuple[int, int]] = field(default_factory=list)
    after: list[list[int]] = field(default_factory=list)
    resting: set[int] = field(default_factory=set)
    stuck: dict[int, int] = field(default_factory=dict)
    doubled: dict[int, int] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)
    thrown: set[Thrown] = field(default_factory=set)
    completes: bool = False
    leaves: bool = False
    held: bool = False
    capped: bool = False
    exhausted: bool = False

    def path(self, state: int) -> list[int]:
        """The elements that were left on the way to a state, in order."""
        nodes: list[int] = []
        while state >= 0:
            state, node = self.before[state]
            if node >= 0:
                nodes.append(node)
        return nodes[::-1]


class Walk:
    """The search through one net."""

    def __init__(self, net: Net, bound: Bound) -> None:
        self.net = net
        self.bound = bound
        self.found = Walked()
        self.numbers: dict[State, int] = {}
        self.todo: deque[int] = deque()
        self.nexts = net.nexts()
        self.before = turned(self.nexts)
        quantities = [max(s.start_quantity, s.completion_quantity) for s in net.shapes]
        self.most_here = 3 + max(quantities, default=1)
        self.merges = frozenset(self._merges())
        self.upstream: dict[int, set[int]] = {}
        self.beside: dict[int, set[int]] = {}
        clears = [i for i in range(len(net.shapes)) if any(m.over for m in net.moves(Token(i)))]
        self.clearing = closure(clears, self.before)
        self.serves = self._serving(1)
        self.may_choose = self._serving(2)

    def run(self) -> Walked:
        """All that can be found within the bound."""
        for tokens in self.net.beginnings():
            self.reach((tokens, ()), -1, -1)
        while self.todo:
            if self.bound.left <= 0:
                self.found.exhausted = True
                self.found.resting.update(self.todo)
                break
            self.expand(self.todo.popleft())
        return self.found

    # --- the search -----------------------------------------------------------------------------------

    def expand(self, number: int) -> None:
        """Try what can happen in a state; as many independent groups of steps as lead to something new."""
        found, state = self.found, self.found.states[number]
        is_resting, groups = self.groups(state)
        if is_resting:
            found.resting.add(number)
        stuck = True
        for group in groups:
            known = len(found.states)
            stuck = False
            for step in group:
                self.take(number, step)
            if len(found.states) > known:
                break
        if stuck:
            found.resting.add(number)
            self.note_stuck(number)

    def note_stuck(self, number: int) -> None:
        """Nothing can happen any more: who waits for others waits in vain, unless a token stands in a
        sub-process that never ends; then the fault lies there."""
        tokens = self.found.states[number][0]
        held = any(token.stage == ON for token in tokens)
        self.found.held |= held
        for token in () if held else tokens:
            self.found.stuck.setdefault(token.node, number)

    def take(self, number: int, step: Step) -> None:
        """One step from a state."""
        (tokens, _), move, node = step
        found = self.found
        found.thrown |= move.thrown
        if self.net.may_close(node):
            found.completes = True
            found.resting.add(number)
        if move.over or not tokens:
            found.completes |= move.completes or not move.over
            found.leaves |= move.over and not move.completes
            found.resting.add(number)
            return
        if any(tokens.count(token) > self.most_here for token in move.tokens):
            found.capped = True
            found.resting.add(number)
            return
        found.after[number].append(self.reach(step[0], number, node))
        self.look(found.after[number][-1], move, tokens)

    def reach(self, state: State, before: int, node: int) -> int:
        """The number of a state, new or known."""
        known = self.numbers.get(state)
        if known is None:
            known = self.numbers[state] = len(self.found.states)
            self.found.states.append(state)
            self.found.before.append((before, node))
            self.found.after.append([])
            self.found.seen.update(token.node for token in state[0])
            self.todo.append(known)
        return known

    def look(self, number: int, move: Move, tokens: tuple[Token, ...]) -> None:
        """Notice a second token behind one that comes to an element where branches meet."""
        for token in move.tokens:
            if len(tokens) < 2 or token.node not in self.merges or token.node in self.found.doubled:
                continue
            if token.node not in self.upstream:
                self.upstream[token.node] = closure([token.node], self.before, self.net.joins)
            others = list(tokens)
            others.remove(token)
            if any(o.node in self.upstream[token.node] and o.stage == ON for o in others):
                self.found.doubled[token.node] = number

    # --- what can happen in a state -------------------------------------------------------------------

    def groups(self, state: State) -> tuple[bool, Iterable[list[Step]]]:
        """Whether the case rests here until something happens outside, and the groups of next steps."""
        if meeting := self.meeting(state):
            return False, [meeting]
        moving = [token for token in dict.fromkeys(state[0]) if token.stage == ON]
        automatic = [t for t in moving if not self.net.waits[t.node]]
        if not automatic and (opening := list(self.opening(state))):
            return False, [opening]
        return not automatic, self.grouped(state, automatic or moving)

    def grouped(self, state: State, tokens: Iterable[Token]) -> Iterator[list[Step]]:
        """The steps of tokens: those that disturb nobody each for itself, the others together at last."""
        together: list[Token] = []
        open_joins = {join for token in state[0] for join in self.may_choose.get(token.node, ())}
        for token in tokens:
            disturbs = not open_joins.isdisjoint(self.serves.get(token.node, ()))
            if disturbs or token.node in self.clearing or token.node in self.net.joins:
                together.append(token)
            elif steps := list(self.steps(state, token)):
                yield steps
        if steps := [step for token in together for step in self.steps(state, token)]:
            yield steps

    def steps(self, state: State, token: Token) -> Iterator[Step]:
        """What can happen to one token."""
        if token.node in self.net.joins and token.flow >= 0:
            yield from self.discriminate(state, token)
            return
        for move in self.net.moves(token):
            if not (move.beside and self.is_beside(state, token.node, move.tokens[-1].node)):
                yield self.replaced(state, (token,), move, token.node)

    def is_beside(self, state: State, host: int, event: int) -> bool:
        """Whether what a non-interrupting event began is still going on; a second time tells nothing new."""
        if event not in self.beside:
            onward = [n for n in self.nexts[host] if n not in self.net.boundaries[host]]
            self.beside[event] = closure([event], self.nexts, {host}) - closure(onward, self.nexts, {host})
        return any(token.node in self.beside[event] for token in state[0])

    def replaced(
        self, state: State, gone: Iterable[Token], move: Move, node: int, spent: Spent | None = None
    ) -> Step:
        """The state with some tokens gone and others in their place."""
        self.bound.spend(len(state[0]))
        tokens = list(state[0])
        for token in gone:
            tokens.remove(token)
        after = tuple(sorted([*tokens, *move.tokens]))
        return (after, state[1] if spent is None else spent), move, node

    # --- where tokens meet ----------------------------------------------------------------------------

    def waiting(self, state: State) -> dict[int, list[Token]]:
        """The tokens that wait for others, by element."""
        here: dict[int, list[Token]] = {}
        for token in state[0]:
            if token.stage == WAITING:
                here.setdefault(token.node, []).append(token)
        return here

    def meeting(self, state: State) -> list[Step]:
        """A join whose tokens are all there, or an activity with as many tokens as it wants."""
        for node, here in self.waiting(state).items():
            shape = self.net.shapes[node]
            if node not in self.net.joins:
                gone = here[: shape.start_quantity] if len(here) >= shape.start_quantity else []
            else:
                served = {token.flow: token for token in here}
                is_full = len(served) == len(self.net.incoming[node]) and shape.kind != "complexGateway"
                gone = list(served.values()) if is_full else []
            if gone:
                return [self.replaced(state, gone, Move((Token(node),)), node)]
        return []

    def opening(self, state: State) -> Iterator[Step]:
        """Inclusive joins that no other token can serve any more."""
        for node, here in self.waiting(state).items():
            if self.net.shapes[node].kind != "inclusiveGateway":
                continue
            self.bound.spend(len(state[0]))
            feeds, served = self.net.feeds.get(node, {}), {token.flow: token for token in here}
            others = (feeds.get(t.node, frozenset()) for t in state[0] if t.node != node)
            if all(not flows or flows & served.keys() for flows in others):
                yield self.replaced(state, served.values(), Move((Token(node),)), node)

    def discriminate(self, state: State, token: Token) -> Iterator[Step]:
        """A token comes to a complex gateway: it opens, swallows, or lets it wait."""
        node, entries = token.node, set(self.net.incoming[token.node])
        spent = {flow for at, flow in state[1] if at == node}
        if spent and not self.can_come(state, token, entries - spent):
            spent = set()
        if spent and token.flow in spent:
            yield self.waits_there(state, token, spent)
        elif spent:
            spent.add(token.flow)
            yield self.replaced(state, (token,), Move(), node, self.marked(state, node, spent))
        else:
            here = {t.flow: t for t in state[0] if t.node == node and t.stage == WAITING} | {
                token.flow: token
            }
            for opens in self.activations(node, len(here)):
                if opens:
                    marked = self.marked(state, node, set(here))
                    yield self.replaced(state, here.values(), Move((Token(node),)), node, marked)
                else:
                    yield self.waits_there(state, token, set())

    def waits_there(self, state: State, token: Token, spent: set[int]) -> Step:
        """The token stays where it came to."""
        move = Move((token._replace(stage=WAITING),))
        return self.replaced(state, (token,), move, token.node, self.marked(state, token.node, spent))

    def marked(self, state: State, node: int, spent: set[int]) -> Spent:
        """Which flows a complex gateway has been served by since it opened; nothing once all have."""
        others = [pair for pair in state[1] if pair[0] != node]
        own = [] if spent == set(self.net.incoming[node]) else [(node, flow) for flow in spent]
        return tuple(sorted([*others, *own]))

    def can_come(self, state: State, token: Token, missing: set[int]) -> bool:
        """Whether a flow that has not served the gateway since it opened can still bring a token."""
        feeds = self.net.feeds[token.node]
        others = list(state[0])
        others.remove(token)
        return token.flow in missing or any(feeds.get(t.node, frozenset()) & missing for t in others)

    def activations(self, node: int, count: int) -> tuple[bool, ...]:
        """What the activation condition can be with so many tokens; both if it asks for data."""
        formula = self.net.shapes[node].activation
        expression = formula.expression if formula else None
        if expression is None or not expression.names <= {"activationCount"} or expression.calls:
            return True, False
        try:
            value = expression.evaluate({"activationCount": Decimal(count)}, budget=Budget())
        except ExpressionError:
            return (False,)
        return (value is True,)

    # --- the shape of the net -------------------------------------------------------------------------

    def _serving(self, least: int) -> dict[int, set[int]]:
        """For each element, the inclusive and complex joins of which it can serve at least so many flows."""
        found: dict[int, set[int]] = {}
        for join, feeds in self.net.feeds.items():
            for node, flows in feeds.items():
                if len(flows) >= least:
                    found.setdefault(node, set()).add(join)
        return found

    def _merges(self) -> Iterator[int]:
        """Elements where ways meet without waiting for each other, and after which something is done."""
        for node, ways in enumerate(self.before):
            is_join = node in self.net.joins or self.net.shapes[node].start_quantity > 1
            if len(ways) > 1 and not is_join and self._works(node):
                yield node

    def _works(self, node: int) -> bool:
        """Whether a token that is here comes to anything but gateways and plain end events."""
        seen, todo = {node}, [node]
        while todo:
            one = todo.pop()
            shape = self.net.shapes[one]
            if shape.kind not in GATEWAYS and not (shape.kind == "endEvent" and shape.trigger.kind == "none"):
                return True
            fresh = [n for n in self.nexts[one] if n not in seen and n not in self.net.joins]
            seen.update(fresh)
            todo += fresh
        return False


def turned(nexts: list[list[int]]) -> list[list[int]]:
    """The same ways backwards."""
    before: list[list[int]] = [[] for _ in nexts]
    for source, targets in enumerate(nexts):
        for target in targets:
            before[target].append(source)
    return before


def closure(nodes: Iterable[int], ways: list[list[int]], walls: Collection[int] = ()) -> set[int]:
    """These elements and all that can be come to from them without entering a wall."""
    seen = set(nodes)
    todo = list(seen)
    while todo:
        for other in ways[todo.pop()]:
            if other not in seen and other not in walls:
                seen.add(other)
                todo.append(other)
    return seen
