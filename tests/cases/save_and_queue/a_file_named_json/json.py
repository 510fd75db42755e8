"""What I have tried in lesson 02."""

example = '{"start": "2012-01-01"}'
