"""What talks to the outside: NetSuite, Stripe, Slack, SES, DynamoDB, S3, Secrets Manager, KMS. No billing rules
here.
"""
