-- Redis looks at its memory at a script's first write: here, before one that frees some. Where Redis is full Celery's
-- message would be refused after it.
redis.call('LPUSHX', P .. 'none', 1)
