"""DMN decisions: tables, formulas and what they require, evaluated with every matched rule on record."""
