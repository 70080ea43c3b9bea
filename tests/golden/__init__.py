"""Histories as a release wrote them: every later release must replay them to what they were, for ever."""
