"""What can become of the tokens of a drawing, found by trying every choice within a bound."""
