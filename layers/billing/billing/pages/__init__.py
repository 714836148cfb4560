"""What people read: the approval page, its mails, a run's report and the messages about it. Values in, text out."""
