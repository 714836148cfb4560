"""From the environment to adapters: one module per service, so that an entry loads only the SDKs it imports."""
