"""The embedded AWS: template.yaml deployed into moto, functions in processes of their own, real IAM checks."""
