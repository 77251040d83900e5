"""What surrounds every request, as pure ASGI: who may pass, how large, from where, and the count of it."""
