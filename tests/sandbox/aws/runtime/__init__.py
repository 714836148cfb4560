"""Lambda on this machine: awslambdaric in processes of their own, one per concurrent invocation."""
