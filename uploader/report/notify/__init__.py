"""How alarms go out: as one document, by a webhook, a command and the log; and the heartbeat that stops without us."""
