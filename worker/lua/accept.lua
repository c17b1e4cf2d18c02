-- Creates the record unless it is there, lines it up and rings the bell; an address that asked for no invitations ends
-- here. Returns {state, created}.
-- ARGV: id, account, gate, order, sealed job, delay ms, expires-after ms, natural id or '', digest of the address or '',
--   version, fingerprint of the key of the ids or ''
local id, account, gate, order, job, delay, expires, natural, who, version, fingerprint = unpack(ARGV)
if made_elsewhere(fingerprint) then return {'foreign', 0} end
local key = record_key(id)
local state = redis.call('HGET', key, 'state')
if state then return {state, 0} end

local now = now_ms()
local due = now + tonumber(delay)
redis.call('HSET', key, 'v', version, 'account', account, 'gate', gate, 'order', order, 'job', job,
  'created_at', int(now), 'due_at', int(due), 'expires_at', int(due + tonumber(expires)),
  'expires_after', expires, 'attempts', 0, 'throttled', 0)
if natural ~= '' then redis.call('HSET', key, 'natural', natural) end
if who ~= '' then redis.call('HSET', key, 'who', who) end
redis.call('HSETNX', GATES, account, gate)
if is_suppressed(account, who) then
  end_suppressed(id, now, account, order)
  return {'suppressed', 1}
end
enter(id, now, account, order, 'queued', '')
line_up(id, account, due)
return {'queued', 1}
