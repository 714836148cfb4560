"""A stand-in for the part of Slack's Web API that posts and reads messages; see `server`."""

from tests.sandbox.slack.refusals import Refuse
from tests.sandbox.slack.server import Channel, Post, SlackServer

__all__ = ["Channel", "Post", "Refuse", "SlackServer"]
