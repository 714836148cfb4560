"""Least privilege, proved: the calling role's statements against the request's real action and resource."""
