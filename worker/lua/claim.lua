-- A worker takes an admitted invitation under a lease. A stale or second message ends here.
-- ARGV: id, lease ms. Returns {'ok', token, fields...} or {why not, account}.
local id, lease = ARGV[1], tonumber(ARGV[2])
local key = record_key(id)
local f = fields(key, 'state', 'gate', 'account', 'order', 'due_at', 'expires_at', 'probe', 'job', 'attempts',
  'throttled', 'unclear', 'created_at', 'slot', 'v')
local gate, account, order = f[2], f[3], f[4]
if f[1] ~= 'queued' or not account or not score(inflight_key(account), id) then return {'stale', account or ''} end

local now = now_ms()
if tonumber(f[6]) <= now then
  give_slot_back(id, gate)
  leave_gate(id, account, gate)
  finish(id, now, account, order, 'failed', 'expired: it could not be delivered in the time it was given')
  return {'expired', account}
end
local g = fields(gate_key(gate), 'closed_until', 'probing')
local shut = tonumber(g[1] or 0) > now
local paused = redis.call('EXISTS', pause_key(account)) == 1 and f[7] ~= '1'
if shut or paused then
  give_slot_back(id, gate)
  leave_gate(id, account, gate)
  line_up(id, account, tonumber(f[5]))
  return {'shut', account}
end
local token = redis.call('HINCRBY', key, 'token', 1)
redis.call('ZADD', inflight_key(account), int(now + lease), id)
redis.call('ZADD', passed_key(gate), 'XX', int(now), f[13] or '')
enter(id, now, account, order, 'delivering', '')
return {'ok', int(token), account, f[8], f[9], f[10], f[11] or '0', f[12], f[5], int(now), f[14],
  g[2] or '0'}
