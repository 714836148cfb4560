"""From template.yaml to resources in moto: SAM's translator, parameters, intrinsics, one handler per type."""
