"""HTTP: check permission, call the service, map its errors. No logic."""
