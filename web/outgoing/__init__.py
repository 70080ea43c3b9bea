"""How things leave the house: mail and webhooks, and where they may go."""
