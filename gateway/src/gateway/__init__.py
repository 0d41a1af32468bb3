"""The pages and the JSON API: people's requests become commands, answers become pages."""
