"""The OpenAI-shaped surface of the clients."""
