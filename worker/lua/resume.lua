-- Sets an account going again, also one that waits for its provider to recover; a Retry-After stays in force.
-- ARGV: account. Returns 1 where it was paused or its gate closed by an outage.
local account = ARGV[1]
local gate = redis.call('HGET', GATES, account)
local changed = redis.call('DEL', pause_key(account))
if not gate then return changed end
local key = gate_key(gate)
local why = redis.call('HGET', key, 'closed_why') or ''
if string.sub(why, 1, 11) == 'unavailable' then
  redis.call('HDEL', key, 'closed_until', 'closed_why', 'failures', 'outages', 'probing')
  changed = 1
end
unblock(gate, now_ms())
return changed
