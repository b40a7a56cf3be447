"""Code written for openai<1."""
