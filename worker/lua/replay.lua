-- Lines a rejected or failed invitation up afresh; its history stays. One whose address asked for no invitations since
-- ends as that. ARGV: id. Returns {state or 'forgotten', changed}.
local id = ARGV[1]
local key = record_key(id)
local f = fields(key, 'state', 'account', 'order', 'expires_after', 'who', 'forgotten_at')
if not f[1] then return {'unknown', 0} end
if f[1] ~= 'rejected' and f[1] ~= 'failed' then return {f[1], 0} end
if f[6] then return {FORGOTTEN, 0} end
local now = now_ms()
redis.call('ZREM', state_key(f[2], f[1]), id)
if is_suppressed(f[2], f[5]) then
  end_suppressed(id, now, f[2], f[3])
  return {'suppressed', 0}
end
redis.call('HDEL', key, 'finished_at', 'refused_at')
redis.call('HSET', key, 'attempts', 0, 'throttled', 0, 'due_at', int(now),
  'expires_at', int(now + tonumber(f[4])))
enter(id, now, f[2], f[3], 'queued', 'replayed')
line_up(id, f[2], now)
return {'queued', 1}
