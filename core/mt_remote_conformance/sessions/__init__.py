"""Sessions with a gateway, as clients of each dialect have them, and who judges what they hear."""
