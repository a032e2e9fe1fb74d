"""Worlds, from which a server starts, and snapshots, from which it goes on."""

from mt4sim.world.files import ManagerSeed, UserSeed, World, WorldError, demo_toml

__all__ = ["ManagerSeed", "UserSeed", "World", "WorldError", "demo_toml"]
