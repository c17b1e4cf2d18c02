-- Applies what a call came to: the invitation's next step, and what the gate learns from it.
-- ARGV: id, token, step (JSON). Returns {state, applied, news of the gate or ''}; the same again, and nothing more, to
-- whom the first answer did not reach.
-- step: state, reason, wait_ms, counts, throttled, unclear, uncalled, consented, reference, sends_in_ms, expect, and what
--       lessons.lua names
local id, token, step = ARGV[1], ARGV[2], cjson.decode(ARGV[3])
local key = record_key(id)
local f = fields(key, 'state', 'gate', 'account', 'order', 'token', 'due_at', 'claimed_at', 'refused_at', 'slot',
  'settled')
local state, gate, account, order = f[1], f[2], f[3], f[4]
if not state then return {'erased', 0, ''} end
local now = now_ms()
step.slot = redis.call('HGET', GATES, account) == gate and f[9] or nil
step.began = tonumber(f[7])

local function accept_by_provider()
  local sends_at = now + (step.sends_in_ms or 0)
  redis.call('HSET', key, 'accepted_at', int(now), 'reference', step.reference or '', 'sends_at', int(sends_at))
  if step.expect then redis.call('ZADD', expected_key(account), int(sends_at), id) end
  return sends_at
end

-- Refused before, while others of its account passed since: then it is this invitation that is not wanted.
local function refused_alone()
  local passed = redis.call('HGET', gate_key(gate), 'passed:' .. account)
  redis.call('HSET', key, 'refused_at', int(now))
  return f[8] and passed and tonumber(passed) > tonumber(f[8])
end

-- When the first call began that may have reached the provider: its list is searched from there.
local function note_unclear()
  redis.call('HSET', key, 'unclear', step.unclear and 1 or 0)
  if step.unclear then
    redis.call('HSETNX', key, 'unclear_since', f[7] or int(now))
  elseif step.state == 'queued' then
    redis.call('HDEL', key, 'unclear_since')
  end
end

-- Where its customer was forgotten while the call ran nothing of the answer is kept, and nobody calls again.
local function keep_nothing_of_who_is_forgotten()
  if redis.call('HEXISTS', key, 'forgotten_at') == 0 then return end
  step.reason, step.reference, step.expect = '', nil, nil
  if step.state == 'queued' then step.state, step.reason = 'cancelled', FORGOTTEN end
end

-- Whose lease ended meanwhile still brings news, if the provider has decided: nobody is to call again.
local decided = step.state == 'accepted' or step.state == 'duplicate' or step.state == 'rejected'
  or step.state == 'suppressed'
local unfinished = state == 'queued' or state == 'delivering'
local mine = state == 'delivering' and f[5] == token
if f[10] == token and not (decided and unfinished) then
  keep_nothing_of_who_is_forgotten()
  return {unfinished and step.state or state, 1, ''}
end
if mine and step.uncalled then
  give_back(id, account, gate)
elseif gate and (mine or (decided and unfinished)) then
  -- Without a gate it was erased and accepted again since: nothing was let through of it.
  leave_gate(id, account, gate)
end
if step.answer then learn(redis.call('HGET', GATES, account), account, now, step) end
if mine or (decided and unfinished) then
  keep_nothing_of_who_is_forgotten()
  redis.call('ZREM', line_key(account), id)
  redis.call('HSET', key, 'settled', token)
  note_unclear()
  if step.counts or (step.answer == 'refused' and refused_alone() and step.state == 'queued') then
    redis.call('HINCRBY', key, 'attempts', 1)
  end
  if step.consented then redis.call('HSET', key, 'consented_at', int(now)) end
  if step.throttled then redis.call('HINCRBY', key, 'throttled', 1) end
  if step.state == 'queued' then
    local due = step.wait_ms and math.ceil(now + step.wait_ms) or tonumber(f[6])
    redis.call('HSET', key, 'due_at', int(due))
    enter(id, now, account, order, 'queued', step.reason)
    line_up(id, account, due)
  else
    local shelf_at = step.state == 'accepted' and accept_by_provider() or now
    finish(id, now, account, order, step.state, step.reason, shelf_at)
  end
  return {step.state, 1, news}
end
return {state, 0, news}
