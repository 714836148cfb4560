"""What happens, in the order in which it happens. Workflows use the domain and ports; they import no adapter."""
