"""The page with all pictures of the gallery: one row per state, with buttons for language, theme and width."""

from collections.abc import Sequence
from pathlib import Path

from django.template import Context, Engine

from tests.gallery.looking import Look

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Gallery</title>
<style>
body { font: 14px/1.5 system-ui, sans-serif; margin: 24px; background: #eceff3; color: #1b2230 }
h2 { font-size: 16px; margin: 32px 0 8px } figure { margin: 0; flex: none } figcaption { font-size: 12px }
.row { display: flex; gap: 16px; overflow-x: auto; align-items: flex-start; padding-bottom: 12px }
img { height: 420px; border: 1px solid #8b95a6; background: #fff } .faulty img { border: 3px solid #d92d20 }
li { font-size: 12px }
</style></head><body>
<h1>Gallery: {{ looks|length }} pictures</h1>
{% for state in states %}<section><h2 id="{{ state.name }}">{{ state.name }}</h2><div class="row">
{% for look in state.looks %}<figure{% if look.faults %} class="faulty"{% endif %}>
<a href="{{ look.picture }}"><img loading="lazy" src="{{ look.picture }}" alt="{{ look.name }}"></a>
<figcaption>{{ look.variant.name }}
<ul>{% for it in look.faults %}<li>{{ it }}</li>{% endfor %}</ul></figcaption>
</figure>{% endfor %}</div></section>{% endfor %}
</body></html>
"""


def write_book(folder: Path, looks: Sequence[Look]) -> Path:
    """Writes index.html beside the pictures. Returns its path."""
    names = dict.fromkeys(look.state.name for look in looks)
    states = [{"name": name, "looks": [it for it in looks if it.state.name == name]} for name in names]
    page = folder / "index.html"
    page.write_text(Engine().from_string(PAGE).render(Context({"looks": looks, "states": states})))
    return page
