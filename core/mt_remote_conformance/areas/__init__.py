"""The model, area by area: what the server must have become after each call, and the calls that check it."""
