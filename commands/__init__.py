"""Commands for people who look after a stack; `make help` lists them."""
