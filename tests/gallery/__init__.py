"""The gallery: every page, dialog, card and menu in its real states, as pictures, and the rules of their layout."""
