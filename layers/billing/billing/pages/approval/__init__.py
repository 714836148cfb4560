"""The approval page, the inbox and the mails of an approval."""
