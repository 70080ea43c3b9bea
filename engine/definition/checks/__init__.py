"""What a drawing must keep to, rule by rule."""
