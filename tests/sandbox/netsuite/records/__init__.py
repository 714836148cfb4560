"""NetSuite's record API over a general ledger; see README.md of the folder above."""
