"""A page taken apart by Python's own parser."""

import json
from html.parser import HTMLParser

VOID = {"meta", "img", "br", "link", "input", "hr"}


class Page(HTMLParser):
    """A page taken apart: elements, text outside scripts and styles, and JSON scripts."""

    def __init__(self, text: str):
        super().__init__()
        self.open, self.elements, self.words, self.data, self.problems = [], [], [], [], []
        self.cells = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append((tag, dict(attributes)))

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        if not self.open or self.open[-1][0] != tag:
            self.problems.append((tag, self.getpos()))
        else:
            self.open.pop()

    def handle_data(self, text):
        tag, attributes = self.open[-1] if self.open else ("", {})
        if tag == "script" and attributes.get("type") == "application/json":
            self.data.append(json.loads(text))
        elif tag not in {"script", "style"}:
            self.words.append(text)
            self.cells += [text] if tag == "td" else []

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def read(path) -> Page:
    return Page(path.read_text(encoding="utf-8"))
