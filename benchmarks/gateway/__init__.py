"""The gateway under test: what it needs beside itself."""
