# SPDX-License-Identifier: MIT
"""Follows every path through the body of an async function, and knows which locals are lost on some path."""
from locals.parse import UNEVALUATED, Parser
from locals.tokens import CLOSING, closing, until
from locals.verbs import ASSIGNS_FIRST, EVALUATES_AGAIN, KEEPS_ARGUMENTS

BEFORE_ASSIGNED = {None, "(", ",", "=", "{", "!", "?", ":", "&&", "||"}


def join(a, b):
    """What may be lost after either; None: nothing comes this way."""
    if a is None or b is None:
        return a if b is None else b
    return {**b, **a}


class Analysis:
    """Follows the paths of one body. A state maps each lost Var to the verb (name, line) that lost it."""

    def __init__(self, tokens, verbs, report):
        self.tokens, self.report = tokens, report
        self.parser = Parser(tokens, verbs, report)
        self.labels, self.found, self.given = {}, {}, {}
        self.breaks, self.continues, self.cases = [], [], []

    def run(self):
        body = self.parser.parse_body()
        while True:
            before = {name: set(state) for name, state in self.labels.items()}
            self.step(body, {})
            if before == {name: set(state) for name, state in self.labels.items()}:
                break
        for var, (line, verb) in self.found.items():
            if var.kind == "static":
                what = f"static '{var.name}', which all tasks share, is used again after {verb[0]} on line {verb[1]}"
            else:
                what = f"local '{var.name}' of line {var.line} is lost at {verb[0]} on line {verb[1]}, and used here"
            self.report(line, what)
        for (line, name), verb in self.given.items():
            self.report(line, f"'{name}' is on the stack, and {verb} keeps its address")

    def use(self, token, state):
        var = token.var
        if var in state and (var not in self.found or token.line < self.found[var][0]):
            self.found[var] = (token.line, state[var])

    def expression(self, part, state, conditional=False):
        """The mentions and assignments of an expression, in order."""
        if state is None or part is None:
            return state
        i, end = part
        tokens = self.tokens
        before = None
        while i < end:
            token = tokens[i]
            after = tokens[i + 1].text if i + 1 < end else None
            if token.text in UNEVALUATED:
                i = self.skip_operand(i + 1, end)
                before = ")"
                continue
            if token.text in ("&&", "||", "?"):
                conditional = True  # what follows may not happen
            if token.var:
                if after == "=" and token.var.reassignable() and before in BEFORE_ASSIGNED:
                    stop = until(tokens, i + 2, end, {",", ";"} | CLOSING)
                    state = self.expression((i + 2, stop), state, conditional)
                    if not conditional:
                        state.pop(token.var, None)
                    i, before = stop, None
                    continue
                self.use(token, state)
            before = token.text
            i += 1
        return state

    def skip_operand(self, i, end):
        """Past the operand of sizeof and its like."""
        while i < end and self.tokens[i].text in ("*", "&", "-", "!", "~"):
            i += 1
        i = closing(self.tokens, i) + 1 if i < end and self.tokens[i].text == "(" else i + 1
        while i < end and self.tokens[i].text in (".", "->", "["):
            i = closing(self.tokens, i) + 1 if self.tokens[i].text == "[" else i + 2
        return i

    def step(self, node, state):
        return getattr(self, "do_" + node[0])(node, state) if node else state

    def do_block(self, node, state):
        for item in node[1]:
            state = self.step(item, state)
        return state

    do_items = do_block

    def do_expression(self, node, state):
        return self.expression(node[1], state)

    def do_declare(self, node, state):
        if state is not None and node[1].kind != "static":
            state.pop(node[1], None)
        return state

    def do_leave(self, node, state):
        self.expression(node[1], state)
        return None

    def do_verb(self, node, state):
        _, name, line, arguments, live = node
        if state is None:
            return None
        target = arguments[0] if arguments and ASSIGNS_FIRST.match(name) else None
        for part in arguments[1:] if target else arguments:
            state = self.expression(part, state)
            if KEEPS_ARGUMENTS.match(name):
                self.check_given(part, name)
        for var in live:
            if not var.fixed:
                state.setdefault(var, (name, line))
        if EVALUATES_AGAIN.match(name):
            for part in arguments[1:]:
                self.expression(part, dict(state))
        if target:
            token = self.tokens[target[0]]
            if target[1] - target[0] == 1 and token.var and token.var.reassignable():
                state.pop(token.var, None)
            else:
                state = self.expression(target, state)
        return state

    def check_given(self, part, verb):
        """Pointers to this stack among the arguments of a verb."""
        i, end = part
        while i < end:
            token = self.tokens[i]
            if token.text in UNEVALUATED:
                i = self.skip_operand(i + 1, end)
                continue
            if token.var and token.var.kind != "static":
                after = self.tokens[i + 1].text if i + 1 < end else None
                address = self.tokens[i - 1].text == "&" and self.parser.is_unary(i - 1)
                if token.var.kind == "array":
                    pointer = address or after != "["
                else:
                    pointer = address and after != "->" and not (after == "[" and token.var.kind == "scalar")
                if pointer:
                    self.given[token.line, token.text] = verb
            i += 1

    def do_if(self, node, state):
        _, condition, yes, no = node
        state = self.expression(condition, state)
        other = dict(state) if state is not None else None
        return join(self.step(yes, state), self.step(no, other))

    def is_endless(self, condition):
        words = [t.text for t in self.tokens[condition[0] : condition[1]]] if condition else []
        return words in ([], ["1"], ["true"])

    def do_loop(self, node, state):
        _, init, condition, post, body, body_first = node
        head = self.step(init, state)
        while head is not None:
            breaks, continues = [], []
            self.breaks.append(breaks)
            self.continues.append(continues)
            tested = dict(head)
            if not body_first:
                tested = self.expression(condition, tested)
            turn = self.step(body, dict(tested))
            for other in continues:
                turn = join(turn, other)
            if body_first:
                turn = tested = self.expression(condition, turn)
            turn = self.expression(post, dict(turn) if turn is not None else None)
            self.breaks.pop()
            self.continues.pop()
            size = len(head)
            head = join(head, turn)
            if len(head) == size:
                out = None if self.is_endless(condition) else tested
                for other in breaks:
                    out = join(out, other)
                return dict(out) if out is not None else None
        return None

    def do_switch(self, node, state):
        _, value, body = node
        state = self.expression(value, state)
        breaks = []
        entry = [state, False]
        self.breaks.append(breaks)
        self.cases.append(entry)
        out = self.step(body, None)
        self.breaks.pop()
        self.cases.pop()
        for other in breaks + ([] if entry[1] else [state]):
            out = join(out, other)
        return dict(out) if out is not None else None

    def do_case(self, node, state):
        entry = self.cases[-1][0] if self.cases else None
        return dict(joined) if (joined := join(state, entry)) is not None else None

    def do_default(self, node, state):
        if self.cases:
            self.cases[-1][1] = True
        return self.do_case(node, state)

    def do_label(self, node, state):
        joined = join(state, self.labels.get(node[1]))
        return dict(joined) if joined is not None else None

    def do_goto(self, node, state):
        if state is not None:
            self.labels[node[1]] = join(self.labels.get(node[1]), dict(state))
        return None

    def do_break(self, node, state):
        if state is not None and self.breaks:
            self.breaks[-1].append(state)
        return None

    def do_continue(self, node, state):
        if state is not None and self.continues:
            self.continues[-1].append(state)
        return None
