-- The provider says that an accepted invitation went out. ARGV: id, sent at (ms). Returns 1 where that was news.
local id, sent_at = ARGV[1], ARGV[2]
local f = fields(record_key(id), 'state', 'account', 'order')
if f[1] ~= 'accepted' then return 0 end
redis.call('ZREM', state_key(f[2], 'accepted'), id)
redis.call('ZREM', expected_key(f[2]), id)
redis.call('HSET', record_key(id), 'sent_at', sent_at)
finish(id, now_ms(), f[2], f[3], 'sent', '')
return 1
