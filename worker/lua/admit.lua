-- Lets through what may pass now, over all gates that are ready, the longest unvisited first.
-- The first of ARGV: how many at most, lease ms, quantum (so many of one gate in one go, or its equal share where that is
-- more), probe ms.
local FIRST_BACKOFF_MS, LONGEST_BACKOFF_MS = 10000, 3600000
local SMALL_PART = 20
local room, lease, quantum, probe_every = unpack(ARGV, 1, 4)
room, lease, quantum, probe_every = tonumber(room), tonumber(lease), tonumber(quantum), tonumber(probe_every)
local now = now_ms()
local admitted, unknown = {}, 0

local function sooner(a, b)
  if not a then return b end
  if not b then return a end
  return math.min(a, b)
end

-- Who held it may have called the provider. The first time it is due at once; a job that ends its workers backs off.
local function take_from_dead(id, f)
  local attempts = redis.call('HINCRBY', record_key(id), 'attempts', 1)
  redis.call('HSET', record_key(id), 'unclear', 1)
  redis.call('HSETNX', record_key(id), 'unclear_since', f[5] or int(now))
  enter(id, now, f[1], f[2], 'queued', 'the lease ended before an answer came')
  if attempts == 1 then return tonumber(f[4]) end
  local due = now + math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ^ math.min(attempts - 2, 20))
  redis.call('HSET', record_key(id), 'due_at', int(due))
  return due
end

-- A lease that ended puts its invitation back in line, unless its customer was forgotten.
local function sweep(account, gate)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', inflight_key(account), '-inf', int(now), 'LIMIT', 0, 100)) do
    local f = fields(record_key(id), 'account', 'order', 'state', 'due_at', 'claimed_at', 'forgotten_at')
    redis.call('ZREM', inflight_key(account), id)
    if f[6] then
      finish(id, now, account, '', 'cancelled', FORGOTTEN)
    elseif f[1] then
      stand_in_line(id, account, gate, f[3] == 'delivering' and take_from_dead(id, f) or tonumber(f[4]))
    end
  end
end

-- Ends what is over of all the accounts of a gate. Returns how many calls run, and when the next lease ends. It looks at
-- those with calls alone, and at one more, of which a worker of an older version may have let some pass.
local function running(gate)
  local calls, ends, another = 0, nil, redis.call('SRANDMEMBER', members_key(gate))
  if another and redis.call('EXISTS', inflight_key(another)) == 1 then redis.call('SADD', busy_key(gate), another) end
  for _, account in ipairs(redis.call('SMEMBERS', busy_key(gate))) do
    sweep(account, gate)
    local held = redis.call('ZCARD', inflight_key(account))
    if held == 0 then redis.call('SREM', busy_key(gate), account) end
    calls, ends = calls + held, sooner(ends, (lowest(inflight_key(account))))
  end
  return calls, ends
end

local function let_pass(id, account, gate, limit, probe)
  redis.call('ZREM', line_key(account), id)
  redis.call('ZADD', inflight_key(account), int(now + lease), id)
  redis.call('HSET', record_key(id), 'gate', gate, 'slot', note_passed(gate, limit, now), 'probe', probe)
  admitted[#admitted + 1] = id
end

-- How many of a paused account may pass (one, when a probe is due), and when to look again.
local function paused(account)
  local f = fields(pause_key(account), 'reason', 'probe_at')
  if not f[1] then return nil end
  if not f[2] then return 0, nil end
  if tonumber(f[2]) > now then return 0, tonumber(f[2]) end
  return 1, nil
end

-- Returns how many pass, and when the account takes turns again: nil where its line is empty.
local function take_from(account, gate, limit, most)
  local allowed, look_at = paused(account)
  local share = allowed and math.min(allowed, most) or most
  if share == 0 then return 0, look_at or NEVER end
  local ids = redis.call('ZRANGEBYSCORE', line_key(account), '-inf', int(now), 'LIMIT', 0, share)
  for _, id in ipairs(ids) do let_pass(id, account, gate, limit, allowed and 1 or 0) end
  if #ids > 0 then redis.call('SADD', busy_key(gate), account) end
  if allowed and #ids > 0 then
    look_at = now + probe_every
    redis.call('HSET', pause_key(account), 'probe_at', int(look_at))
    return #ids, look_at
  end
  return #ids, (lowest(line_key(account)))
end

local function give_turn(account, gate, limit, most)
  local got, first = take_from(account, gate, limit, most)
  if not first then
    redis.call('ZREM', turns_key(gate), account)
  elseif first > now then
    redis.call('ZADD', turns_key(gate), int(first), account)
  elseif got > 0 then
    redis.call('ZADD', turns_key(gate), redis.call('HINCRBY', gate_key(gate), 'served', 1), account)
  end
  return got
end

-- Those that are due take turns now, behind who waits for one already.
local function call_up(gate)
  local due = redis.call('ZRANGEBYSCORE', turns_key(gate), int(NOT_YET), int(now), 'LIMIT', 0, 100)
  if #due == 0 then return end
  local served = redis.call('HGET', gate_key(gate), 'served') or 0
  for _, account in ipairs(due) do redis.call('ZADD', turns_key(gate), served, account) end
end

-- When the next of the gate's accounts takes a turn. Where none was due it looks at one again: a worker of an older
-- version may have lined something up for it.
local function next_turn(gate, taken)
  local another = taken == 0 and redis.call('SRANDMEMBER', members_key(gate))
  local first = another and redis.call('EXISTS', pause_key(another)) == 0 and lowest(line_key(another))
  if first then redis.call('ZADD', turns_key(gate), 'LT', int(first), another) end
  local at = lowest(turns_key(gate))
  if at and at < NOT_YET then return now end
  return at and at < NEVER and at or nil
end

-- Up to `most` of the gate's accounts, in turns. Returns how many, and when the next is due.
local function take_turns(gate, limit, most)
  call_up(gate)
  local waiting = redis.call('ZRANGEBYSCORE', turns_key(gate), '-inf', '(' .. int(NOT_YET), 'LIMIT', 0, most)
  local share, taken = math.max(1, math.floor(most / math.max(1, #waiting))), 0
  for _, account in ipairs(waiting) do
    if taken < most then taken = taken + give_turn(account, gate, limit, math.min(share, most - taken)) end
  end
  return taken, next_turn(gate, taken)
end

-- How many calls may be on their way, by the fields that `visit` reads of the gate: where the limit turns out to be a
-- smaller one, each of them is refused.
local function at_once(f, limit)
  local most, answered, quickest = tonumber(f[2] or 0), tonumber(f[6] or 0), tonumber(f[7])
  if f[3] then return math.min(most, 1) end
  local few, half = 1 + math.floor(answered / 6), math.ceil(most / 2)
  -- What one refusal taught may be wrong: one at a time finds out, and more with every few answers.
  if f[5] then return math.min(most, few) end
  -- Nothing has shown yet that so many pass: half, or few again after a refusal, where the calls of a window still take
  -- but a small part of it.
  local unproven = limit and quickest and limit.count > math.max(half, answered)
  if unproven and limit.count * quickest <= half * limit.period / SMALL_PART then
    return f[8] and math.min(half, few) or half
  end
  return most
end

-- Lets pass what this gate allows. Returns when to look at it again, or nil.
local function visit(gate, most)
  local key = gate_key(gate)
  redis.call('HDEL', key, 'look_at', 'full')
  local calls, lease_ends = running(gate)
  local f = fields(key, 'closed_until', 'concurrency', 'probing', 'owed_until', 'unsure', 'answered',
    'quickest', 'taught_count')
  if not f[2] then unknown = 1 end
  if tonumber(f[1] or 0) > now then
    redis.call('HSET', key, 'look_at', f[1])
    return sooner(tonumber(f[1]), lease_ends)
  end
  local limit = limit_of(gate)
  local places = at_once(f, limit) - calls
  if places <= 0 then
    redis.call('HSET', key, 'full', 1)
    return lease_ends
  end
  local free, next_free = room_at(gate, limit, now)
  local owed_until = tonumber(f[4] or 0)
  if limit and free > 0 and owed_until > now then
    free = math.min(free, limit.count - used_at(gate, limit, now) - 1)
    next_free = math.min(owed_until, place_free_at(gate, limit, now, 0) or math.huge)
  end
  if free <= 0 then
    next_free = math.max(next_free, now + 1)
    redis.call('HSET', key, 'look_at', int(next_free))
    return sooner(next_free, lease_ends)
  end
  local taken, due = take_turns(gate, limit, math.min(most, places, free))
  if taken > 0 then lease_ends = sooner(lease_ends, now + lease) end
  return sooner(due and math.max(due, now), lease_ends)
end

-- When a gate is looked at again that may let more pass: behind those that wait, in the order of now. Where none is left
-- waiting, the last had less than its share for want of room, and is the first next time.
local looks = 0
local function next_look(look_at, got, is_last)
  looks = looks + 1
  if look_at > now then return int(look_at) end
  if got == 0 then return int(now + 1) end
  return string.format('%.3f', now - 1 + (is_last and 0 or math.min(looks, 900)) / 1000)
end

-- Returns milliseconds until the next look, or -1; 1 where a gate is not configured (Redis lost it); and the ids.
local function admit()
  local visited = true
  while visited and #admitted < room do
    visited = false
    local ready = redis.call('ZRANGEBYSCORE', READY, '-inf', int(now), 'LIMIT', 0, 100)
    local share = math.max(quantum, math.ceil((room - #admitted) / math.max(1, #ready)))
    for place, gate in ipairs(ready) do
      if #admitted < room then
        local before, most = #admitted, math.min(share, room - #admitted)
        local look_at = visit(gate, most)
        visited = visited or #admitted > before
        if look_at then
          redis.call('ZADD', READY, next_look(look_at, #admitted - before, place == #ready), gate)
        else
          redis.call('ZREM', READY, gate)
        end
      end
    end
  end
  local first = lowest(READY)
  -- More may pass than this worker has threads: another is woken.
  if first and first <= now and redis.call('LLEN', BELL) == 0 then redis.call('LPUSH', BELL, 1) end
  return first and int(math.max(0, first - now)) or '-1', unknown, admitted
end
