"""Plugins: found, checked, asked, traced."""
