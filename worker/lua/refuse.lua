-- Keeps a job that is not valid, with its faults. Returns {state, created}.
-- ARGV: id, account or '-', order or '', sealed job, faults (JSON), reason, digest of the address or '', version,
--   fingerprint of the key of the ids or ''
local id, account, order, job, faults, reason, who, version, fingerprint = unpack(ARGV)
if made_elsewhere(fingerprint) then return {'foreign', 0} end
local state = redis.call('HGET', record_key(id), 'state')
if state then return {state, 0} end

local now = now_ms()
redis.call('HSET', record_key(id), 'v', version, 'account', account, 'order', order, 'job', job, 'faults', faults,
  'created_at', int(now), 'attempts', 0, 'throttled', 0)
if who ~= '' then redis.call('HSET', record_key(id), 'who', who) end
redis.call('HSETNX', GATES, account, account)
finish(id, now, account, order, 'refused', reason)
return {'refused', 1}
