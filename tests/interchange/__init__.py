"""Drawings of other tools: imported as drafts, opened and saved in the editor, the same afterwards."""
