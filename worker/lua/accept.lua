-- Creates the records that are not there yet, lines them up and rings the bell; an address that asked for no invitations
-- ends here. What all of them share is asked once.
-- ARGV: version, fingerprint of the key of the ids or '', entries (JSON), each a list: id, account, gate, order, sealed
--   job, delay ms, expires-after ms, natural id or '', digest of the address or '', traceparent or '', whom to reply to
--   or ''; and the version of a record that has one to reply to
-- Returns JSON: for each entry {state, created}.
local version, elsewhere, with_reply = ARGV[1], made_elsewhere(ARGV[2]), ARGV[4]
local now = now_ms()
local at, soonest, receipts = int(now), {}, {}

local function create(id, account, gate, order, job, delay, expires, natural, who, trace, reply)
  local key = record_key(id)
  local state = redis.call('HGET', key, 'state')
  if state then return {state, 0} end
  local due = now + delay
  redis.call('HSET', key, 'v', version, 'account', account, 'order', order, 'created_at', at, 'due_at', int(due),
    'expires_at', int(due + expires), 'expires_after', int(expires), 'attempts', 0, 'throttled', 0)
  if natural ~= '' then redis.call('HSET', key, 'natural', natural) end
  if who ~= '' then redis.call('HSET', key, 'who', who) end
  if trace ~= '' then redis.call('HSET', key, 'trace', trace) end
  if reply ~= '' then redis.call('HSET', key, 'v', with_reply, 'reply', reply) end
  if not soonest[account] then redis.call('HSETNX', GATES, account, gate) end
  if is_suppressed(account, who) then
    end_suppressed(id, now, account, order)
    return {'suppressed', 1}
  end
  redis.call('HSET', key, 'state', 'queued', unpack(job_fields(job)))
  tell_event(id, now, account, order, 'queued', '')
  if soonest[account] and soonest[account] <= due then
    redis.call('ZADD', line_key(account), int(due), id)
  else
    line_up(id, account, due)
    soonest[account] = due
  end
  return {'queued', 1}
end

for place, entry in ipairs(cjson.decode(ARGV[3])) do
  receipts[place] = elsewhere and {'foreign', 0} or create(unpack(entry))
end
return cjson.encode(receipts)
