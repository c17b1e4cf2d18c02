-- Stops an account until it is resumed. ARGV: account, reason. Returns 1.
redis.call('DEL', pause_key(ARGV[1]))
note_active(ARGV[1])
redis.call('HSET', pause_key(ARGV[1]), 'reason', ARGV[2], 'by', 'person', 'at', int(now_ms()))
return 1
