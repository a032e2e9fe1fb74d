"""The gateway: sessions on one side, a backend on the other, calls carried out between them."""
