-- Sets an account going again, also one that waits for its provider to recover; a Retry-After stays in force.
-- ARGV: account. Returns 1 where it was paused or its gate closed by an outage.
local account = ARGV[1]
local gate = redis.call('HGET', GATES, account)
local changed = redis.call('DEL', pause_key(account))
if not gate then return changed end
local key, now = gate_key(gate), now_ms()
local f = fields(key, 'closed_until', 'closed_why', 'probing', 'asked_until')
local shut = tonumber(f[1] or 0) > now and string.sub(f[2] or '', 1, 11) == 'unavailable'
if shut or f[3] then
  redis.call('HDEL', key, 'failures', 'outages', 'probing')
  changed = 1
end
if shut then redis.call('HSET', key, 'closed_until', f[4] or 0, 'closed_why', 'rate limited') end
take_turns_again(account, now)
unblock(gate, now)
return changed
