# SPDX-License-Identifier: MIT
"""The tokens of C source, and what finds its way among their brackets."""
import re

OPENING, CLOSING = {"(", "[", "{"}, {")", "]", "}"}

TOKEN = re.compile(
    r"""(?P<skip>/\*.*?(?:\*/|\Z)|//[^\n]*|\s+|\\\n)
    |(?P<directive>(?<![^\n])[ \t]*\#(?:[^\n\\]|\\.|\\\n)*)
    |(?P<string>[LuU8]*"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
    |(?P<name>[A-Za-z_]\w*)
    |(?P<number>\.?\d(?:[eEpP][+-]|[\w.])*)
    |(?P<op>->|\+\+|--|<<=|>>=|&&|\|\||[-+*/%&|^=!<>]=|<<|>>|\.\.\.|.)""",
    re.S | re.X,
)


class Token:
    __slots__ = ("text", "line", "is_name", "var")

    def __init__(self, text, line, is_name):
        self.text, self.line, self.is_name, self.var = text, line, is_name, None


def tokenize(text, first_line=1):
    """The tokens of C source without its directives, and the bodies of its function-like macros by name."""
    tokens, macros, line, at_line_start = [], {}, first_line, True
    position = 0
    while position < len(text):
        match = TOKEN.match(text, position)
        kind, word = match.lastgroup, match.group(0)
        if kind == "directive" or (word == "#" and at_line_start):
            if kind != "directive":
                match = re.compile(r"#(?:[^\n\\]|\\.|\\\n)*", re.S).match(text, position)
                word = match.group(0)
            define = re.match(r"\s*#\s*define\s+(\w+)\([^)]*\)(.*)", word, re.S)
            if define:
                macros[define.group(1)] = define.group(2)
        elif kind != "skip":
            tokens.append(Token(word, line, kind == "name"))
            at_line_start = False
        if "\n" in word:
            at_line_start = True
        line += word.count("\n")
        position = match.end()
    return tokens, macros


def closing(tokens, start):
    """The index of the bracket that closes the one at start, or the end."""
    depth = 0
    for i in range(start, len(tokens)):
        if tokens[i].text in OPENING:
            depth += 1
        elif tokens[i].text in CLOSING:
            depth -= 1
            if depth == 0:
                return i
    return len(tokens)


def until(tokens, start, end, stops):
    """The index of the first token of stops outside brackets from start on, or end."""
    i = start
    while i < end:
        if tokens[i].text in stops:
            return i
        i = closing(tokens, i) + 1 if tokens[i].text in OPENING else i + 1
    return end


def split_commas(tokens, start, end):
    parts = []
    while start < end:
        comma = until(tokens, start, end, {","})
        parts.append((start, comma))
        start = comma + 1
    return parts
