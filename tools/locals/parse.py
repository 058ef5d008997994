# SPDX-License-Identifier: MIT
"""Turns the body of an async function into nested tuples, with each name of a local bound to its declaration.

It knows statements and declarations; an expression stays a range of tokens. What it cannot know (macros, typedefs) it
takes for what that most often is: a call, a loop when a block follows, a scalar.
"""
from locals.tokens import closing, split_commas, until
from locals.verbs import ENDS_TASK, VERBS

QUALIFIERS = {"const", "volatile", "restrict", "__restrict", "__restrict__", "_Atomic", "__const"}
STORAGE = {"static", "register", "extern", "auto", "inline", "_Thread_local", "__thread", "__extension__"}
TYPES = set("void char short int long float double signed unsigned _Bool bool __int128 __auto_type _Complex".split())
TAGGED = {"struct", "union", "enum"}
TYPEOF = {"typeof", "__typeof__", "__typeof"}
UNEVALUATED = TYPEOF | {"sizeof", "_Alignof", "alignof", "offsetof", "__builtin_offsetof", "__alignof__"}
ATTRIBUTE = {"__attribute__", "__attribute", "_Alignas"}
KEYWORDS = set("if else while do for switch case default goto break continue return".split()) | UNEVALUATED


class Var:
    """A local. kind: scalar, array, struct, static; fixed: a static constant, which cannot be lost."""

    def __init__(self, name, line, kind, fixed):
        self.name, self.line, self.kind, self.fixed = name, line, kind, fixed
        self.addressed = False

    def reassignable(self):
        return self.kind == "scalar" and not self.addressed


class Parser:
    """Turns a body into nested tuples; each name that means a local is bound to its Var on the way."""

    def __init__(self, tokens, verbs, report):
        self.tokens, self.verbs, self.report = tokens, verbs, report
        self.scopes = [{}]
        self.at, self.end = 0, len(tokens)

    def text(self, offset=0):
        i = self.at + offset
        return self.tokens[i].text if i < self.end else None

    def is_name(self, i):
        return i < self.end and self.tokens[i].is_name and self.tokens[i].text not in KEYWORDS

    def in_scope(self):
        return tuple({name: var for scope in self.scopes for name, var in scope.items()}.values())

    def bind(self, start, end):
        """Binds the names of an expression, and returns it."""
        for i in range(start, end):
            token = self.tokens[i]
            before = self.tokens[i - 1].text if i > 0 else None
            if not token.is_name or before in ("->",) or before in TAGGED:
                continue
            if before == ".":
                continue
            for scope in reversed(self.scopes):
                if token.text in scope:
                    token.var = scope[token.text]
                    break
            if token.var and before == "&" and self.is_unary(i - 1):
                after = self.tokens[i + 1].text if i + 1 < self.end else None
                if after != "->" and not (after == "[" and token.var.kind == "scalar"):
                    token.var.addressed = True
        return (start, end)

    def is_unary(self, i):
        if i == 0:
            return True
        before = self.tokens[i - 1]
        if before.is_name:
            return before.text in KEYWORDS
        return before.text not in (")", "]") and not before.text[0].isdigit()

    def parse_body(self):
        items = []
        while self.at < self.end:
            items.append(self.statement())
        return ("block", items)

    def block(self):
        end, self.at = closing(self.tokens, self.at), self.at + 1
        end = min(end, self.end)
        self.scopes.append({})
        items = []
        while self.at < end:
            items.append(self.statement())
        self.at = end + 1
        self.scopes.pop()
        return ("block", items)

    def parenthesis(self):
        """Consumes ( … ) and returns its inside."""
        start, end = self.at + 1, min(closing(self.tokens, self.at), self.end)
        self.at = end + 1
        return start, end

    def statement(self):
        text = self.text()
        handler = getattr(self, "parse_" + text, None) if text in KEYWORDS and text not in UNEVALUATED else None
        if text == "{":
            return self.block()
        if handler:
            return handler()
        if self.is_name(self.at) and self.text(1) == ":":
            self.at += 2
            return ("label", text)
        if text in ENDS_TASK:
            return self.end_of_task()
        if text in self.verbs or (VERBS.match(text) and self.text(1) in ("(", ";", "{")):
            return self.verb()
        if self.looks_like_declaration():
            return self.declaration()
        if self.is_name(self.at) and self.text(1) == "(":
            after = closing(self.tokens, self.at + 1) + 1
            if after < self.end and (self.tokens[after].is_name or self.tokens[after].text in ("{", "}")):
                return self.bare_macro(after)
        start = self.at
        self.at = until(self.tokens, start, self.end, {";", "}"}) + 1
        return ("expression", self.bind(start, min(self.at - 1, self.end)))

    def bare_macro(self, after):
        """A macro call without a semicolon; with a block it is taken for a loop."""
        expression = self.bind(self.at, after)
        self.at = after
        if self.text() != "{":
            return ("expression", expression)
        return ("loop", None, expression, None, self.statement(), False)

    def parse_if(self):
        self.at += 1
        condition = self.bind(*self.parenthesis())
        yes, no = self.statement(), None
        if self.text() == "else":
            self.at += 1
            no = self.statement()
        return ("if", condition, yes, no)

    def parse_else(self):
        self.at += 1  # of an if that a conditional directive hides
        return self.statement()

    def parse_while(self):
        self.at += 1
        condition = self.bind(*self.parenthesis())
        return ("loop", None, condition, None, self.statement(), False)

    def parse_do(self):
        self.at += 1
        body = self.statement()
        self.at += 1
        condition = self.bind(*self.parenthesis()) if self.text() == "(" else None
        self.at += 1
        return ("loop", None, condition, None, body, True)

    def parse_for(self):
        line = self.tokens[self.at].line
        self.at += 1
        start, end = self.parenthesis()
        behind, outer_end = self.at, self.end
        self.scopes.append({})
        first = until(self.tokens, start, end, {";"})
        second = until(self.tokens, first + 1, end, {";"})
        self.at, self.end = start, first + 1
        init = self.statement() if first > start else None
        declared = list(self.scopes[-1].values())
        self.at, self.end = behind, outer_end
        condition = self.bind(first + 1, second) if second > first + 1 else None
        post = self.bind(second + 1, end) if end > second + 1 else None
        body = self.statement()
        self.scopes.pop()
        verb = first_verb(body)
        if verb and declared:
            names = ", ".join(f"'{var.name}'" for var in declared)
            self.report(line, f"{names} of this for loop is lost at {verb[0]} on line {verb[1]}")
            for var in declared:
                var.fixed = True  # said once
        return ("loop", init, condition, post, body, False)

    def parse_switch(self):
        self.at += 1
        value = self.bind(*self.parenthesis())
        return ("switch", value, self.statement())

    def parse_case(self):
        self.at = until(self.tokens, self.at, self.end, {":"}) + 1
        return ("case",)

    def parse_default(self):
        self.at += 2
        return ("default",)

    def parse_goto(self):
        start = self.at + 1
        self.at = until(self.tokens, start, self.end, {";"}) + 1
        if self.tokens[start].text == "*":
            return ("expression", self.bind(start, self.at - 1))
        return ("goto", self.tokens[start].text)

    def parse_break(self):
        self.at += 2
        return ("break",)

    def parse_continue(self):
        self.at += 2
        return ("continue",)

    def parse_return(self):
        start, line = self.at + 1, self.tokens[self.at].line
        self.at = until(self.tokens, start, self.end, {";"}) + 1
        self.report(line, "plain return in an async function: MAG_RETURN ends it")
        return ("leave", self.bind(start, self.at - 1))

    def end_of_task(self):
        start = self.at
        self.at = until(self.tokens, start, self.end, {";", "}"}) + 1
        return ("leave", self.bind(start, min(self.at - 1, self.end)))

    def verb(self):
        token = self.tokens[self.at]
        live = self.in_scope()
        self.at += 1
        arguments = []
        if self.text() == "(":
            arguments = [self.bind(*part) for part in split_commas(self.tokens, *self.parenthesis())]
        node = ("verb", token.text, token.line, arguments, live)
        if self.text() == ";":
            self.at += 1
        elif self.text() == "{":
            # its end waits too
            return ("block", [node, self.block(), ("verb", token.text, token.line, [], live)])
        return node

    def looks_like_declaration(self):
        i = self.at
        text = self.text()
        if text == "__extension__" and self.text(1) == "(":
            return False
        if text in QUALIFIERS | STORAGE | TYPES | TAGGED | TYPEOF | ATTRIBUTE:
            return True
        if not self.is_name(i):
            return False
        i += 1
        while i < self.end and self.tokens[i].text in QUALIFIERS | {"*"}:
            i += 1
        if self.is_name(i):
            after = self.tokens[i + 1].text if i + 1 < self.end else None
            return after in (";", "=", ",", "[") or after in ATTRIBUTE
        # type (*name)(…)
        texts = [t.text for t in self.tokens[i : i + 5]]
        return len(texts) == 5 and texts[:2] == ["(", "*"] and self.is_name(i + 2) and texts[3:] == [")", "("]

    def attribute(self):
        """Consumes an attribute."""
        start = self.at
        self.at = closing(self.tokens, self.at + 1) + 1
        if any(t.text in ("cleanup", "__cleanup__") for t in self.tokens[start : self.at]):
            self.report(self.tokens[start].line, "cleanup attribute in an async function: it runs at each suspension")

    def declaration(self):
        static = const = False
        base = None
        while self.at < self.end:
            text = self.text()
            if text in ATTRIBUTE:
                self.attribute()
            elif text in TYPEOF:
                base = "scalar"
                self.at = closing(self.tokens, self.at + 1) + 1
            elif text in TAGGED:
                base = "struct" if text != "enum" else "scalar"
                self.at += 1
                while self.text() in ATTRIBUTE:
                    self.attribute()
                if self.is_name(self.at):
                    self.at += 1
                if self.text() == "{":
                    self.at = closing(self.tokens, self.at) + 1
            elif text in QUALIFIERS | STORAGE:
                static |= text in ("static", "extern", "_Thread_local", "__thread")
                const |= text == "const"
                self.at += 1
            elif text in TYPES or (base is None and self.is_name(self.at)):
                base = "scalar"
                self.at += 1
            else:
                break
        items = []
        end = until(self.tokens, self.at, self.end, {";"})
        while self.at < end:
            items += self.declarator(end, base, static, const)
        self.at = end + 1
        return ("items", items)

    def declarator(self, end, base, static, const):
        pointer = array = function = False
        token, sizes, init = None, [], None
        while self.at < end:
            text = self.text()
            if text == ",":
                self.at += 1
                break
            if text == "=":
                stop = until(self.tokens, self.at, end, {","})
                init = (self.at + 1, stop)
                self.at = stop
            elif text in ATTRIBUTE:
                self.attribute()
            elif text == "[":
                stop = closing(self.tokens, self.at)
                sizes.append((self.at + 1, stop))
                array = True
                self.at = stop + 1
            elif text == "(":
                stop = closing(self.tokens, self.at)
                if token is None:  # (*name) or (*name[n])
                    inside = self.tokens[self.at + 1 : stop]
                    token = next((t for t in inside if t.is_name and t.text not in QUALIFIERS), None)
                    pointer, function = True, False
                    array = any(t.text == "[" for t in inside)
                    self.at = stop + 1
                    while self.text() in ("(", "["):
                        self.at = closing(self.tokens, self.at) + 1
                else:
                    function = True
                    self.at = stop + 1
            else:
                pointer |= text == "*"
                const = (const and text != "*") or text == "const"
                if self.is_name(self.at) and text not in QUALIFIERS and token is None:
                    token = self.tokens[self.at]
                self.at += 1
        items = [("expression", self.bind(*part)) for part in sizes]
        if token is None or function:
            return items
        kind = "array" if array else "struct" if base == "struct" and not pointer else "scalar"
        var = Var(token.text, token.line, "static" if static else kind, static and const)
        self.scopes[-1][token.text] = var
        if init:
            items.append(("expression", self.bind(*init)))
        return items + [("declare", var)]


def first_verb(node):
    """(name, line) of the first verb inside a node, or None."""
    if not isinstance(node, tuple):
        return None
    if node[0] == "verb":
        return node[1], node[2]
    for part in node[1:]:
        for inner in part if isinstance(part, list) else [part]:
            found = first_verb(inner)
            if found:
                return found
    return None
