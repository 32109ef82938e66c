"""Collects the translatable texts of templates (by Django's parser) and Python (by `ast`) for a catalogue."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import polib
from django.conf import settings
from django.template import Engine
from django.template.base import Node
from django.templatetags.i18n import BlockTranslateNode, TranslateNode
from django.utils.translation.template import constant_re

IN_CONTEXT = "pgettext_lazy"
CALLS = {"_": 1, "gettext": 1, "gettext_lazy": 1, "ngettext": 2, "ngettext_lazy": 2, IN_CONTEXT: 2}
PACKAGES = ("console", "registries")


class Message(NamedTuple):
    """One text to translate. `plural` is "" where nothing is counted. Two texts with the same words differ in
    their `context`."""

    singular: str
    plural: str = ""
    context: str = ""

    @classmethod
    def of(cls, entry: polib.POEntry) -> "Message":
        return cls(entry.msgid, entry.msgid_plural, entry.msgctxt or "")


def found() -> dict[Message, list[str]]:
    """Every message with the paths of the files that use it."""
    messages: dict[Message, list[str]] = {}
    for path, message in (*_in_templates(), *_in_python()):
        places = messages.setdefault(message, [])
        if path not in places:
            places.append(path)
    return messages


def update(catalogue: Path) -> tuple[int, int]:
    """Adds new and removes unused messages of a .po file. Returns both counts."""
    known = polib.pofile(str(catalogue), wrapwidth=110)
    present = {Message.of(entry): entry for entry in known}
    wanted = found()
    gone = [it for it in known if Message.of(it) not in wanted or present[Message.of(it)] is not it]
    for entry in gone:
        known.remove(entry)
    added = [message for message in wanted if message not in present]
    for message in added:
        context = message.context or None
        entry = polib.POEntry(msgid=message.singular, msgid_plural=message.plural, msgctxt=context)
        if message.plural:
            entry.msgstr_plural = {0: ""}
        known.append(entry)
    for entry in known:
        entry.occurrences = [(path, "") for path in sorted(wanted[Message.of(entry)])]
    known.sort(key=lambda entry: (entry.occurrences[0], entry.msgid))
    known.save(str(catalogue))
    return len(added), len(gone)


def _in_templates() -> Iterator[tuple[str, Message]]:
    folder = Path(settings.BASE_DIR) / "templates"
    engine = Engine.get_default()
    for path in sorted(folder.rglob("*.html")):
        nodes = engine.from_string(path.read_text()).nodelist
        where = str(path.relative_to(settings.BASE_DIR))
        for node in nodes.get_nodes_by_type(TranslateNode):
            yield where, _single(node)
        for block in nodes.get_nodes_by_type(BlockTranslateNode):
            yield where, _block(block)
        for node in nodes.get_nodes_by_type(Node):
            for quoted in constant_re.findall(node.token.contents if node.token else ""):
                yield where, Message(quoted[1:-1])


def _single(node: Node) -> Message:
    """The text and the context of a translate tag. Django stores the text as a literal variable."""
    context = node.message_context  # type: ignore[attr-defined]
    text = str(node.filter_expression.var.literal)  # type: ignore[attr-defined]
    return Message(text, context=str(context.resolve({})) if context else "")


def _block(block: Node) -> Message:
    singular, _names = block.render_token_list(block.singular)  # type: ignore[attr-defined]
    plural = block.render_token_list(block.plural)[0] if block.plural else ""  # type: ignore[attr-defined]
    return Message(singular, plural)


def _in_python() -> Iterator[tuple[str, Message]]:
    base = Path(settings.BASE_DIR)
    for package in PACKAGES:
        for path in sorted((base / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS:
                    arguments = node.args[: CALLS[node.func.id]]
                    texts = [str(it.value) for it in arguments if isinstance(it, ast.Constant)]
                    if node.func.id == IN_CONTEXT:
                        yield str(path.relative_to(base)), Message(texts[1], context=texts[0])
                    elif texts:
                        yield str(path.relative_to(base)), Message(*texts)
