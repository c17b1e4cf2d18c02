-- Takes out of an invitation whatever tells of its customer: its id, states, times and counters stay. What waits is
-- cancelled; what a worker holds is never lined up again (settle.lua, admit.lua).
-- ARGV: id. Returns {account, the state it was in}, or {} where there is nothing to forget.
local id = ARGV[1]
local key = record_key(id)
local f = fields(key, 'state', 'gate', 'account', 'forgotten_at')
local state, gate, account = f[1], f[2], f[3]
if not state or f[4] then return {} end
local now = now_ms()
local bare = {}
for line in string.gmatch(history_of(key), '[^\n]+') do
  local before = cjson.decode(line)
  bare[#bare + 1] = change(before.at, before.state, '')
end
keep_job(key, '')
redis.call('HSET', key, 'order', '', 'history', table.concat(bare), 'forgotten_at', int(now))
redis.call('HDEL', key, 'who', 'natural', 'reference', 'faults', 'reason', 'trace')
redis.call('ZREM', expected_key(account), id)
if state == 'queued' then
  withdraw(id, account, gate)
  finish(id, now, account, '', 'cancelled', FORGOTTEN)
end
return {account, state}
