"""The functions every FEEL expression may call."""
