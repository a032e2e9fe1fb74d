"""The backend on the MT4 Manager library (``mtmanapi.dll``, ``mtmanapi64.dll``), pure Python and ctypes."""
