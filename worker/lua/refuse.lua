-- Keeps jobs that are not valid, with their faults.
-- ARGV: version, fingerprint of the key of the ids or '', entries (JSON), each a list: id, account or '-', sealed job,
--   faults (JSON), reason, order or '', digest of the address or '', whom to reply to or ''
-- Returns JSON: for each entry {state, created}.
local version, elsewhere = ARGV[1], made_elsewhere(ARGV[2])
local now, receipts = now_ms(), {}

local function keep(id, account, job, faults, reason, order, who, reply)
  local key = record_key(id)
  local state = redis.call('HGET', key, 'state')
  if state then return {state, 0} end
  redis.call('HSET', key, 'v', version, 'account', account, 'order', order, 'job', job, 'faults', faults,
    'created_at', int(now), 'attempts', 0, 'throttled', 0)
  if who ~= '' then redis.call('HSET', key, 'who', who) end
  if reply ~= '' then redis.call('HSET', key, 'reply', reply) end
  redis.call('HSETNX', GATES, account, account)
  finish(id, now, account, order, 'refused', reason)
  return {'refused', 1}
end

for place, entry in ipairs(cjson.decode(ARGV[3])) do
  receipts[place] = elsewhere and {'foreign', 0} or keep(unpack(entry))
end
return cjson.encode(receipts)
