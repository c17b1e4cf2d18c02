-- How much a gate lets pass: "at most `count` calls in any `period` milliseconds", counted exactly. `passed`
-- holds the time of each call of the last period.
local DEFAULT_QUANTUM = 1000
-- Calls leave a worker a few milliseconds apart from when they were let pass.
local GUARD_MS = 5

local function slower(a, b)
  if not a then return b end
  if not b then return a end
  if b.count * a.period < a.count * b.period then return b end
  return a
end

local function pair(count, period)
  return count and period and {count = tonumber(count), period = tonumber(period)} or nil
end

-- The limit in force: the lowest of what is configured, what the provider says and what its refusals taught.
-- A burst below the count keeps the rate and shortens the window.
local function limit_of(gate)
  local f = fields(gate_key(gate), 'count', 'period', 'said_count', 'said_period', 'taught_count', 'taught_period', 'burst')
  local limit = slower(slower(pair(f[1], f[2]), pair(f[3], f[4])), pair(f[5], f[6]))
  local burst = tonumber(f[7] or 0)
  if limit and burst > 0 and burst < limit.count then
    limit = {count = burst, period = math.ceil(limit.period * burst / limit.count)}
  end
  return limit
end

-- Where the provider says that nothing is left, and not until when: one call now and then, so spaced that a whole
-- window's calls would fit.
local function room_left(gate, now)
  local f = fields(gate_key(gate), 'left', 'passed_at', 'said_count', 'said_period')
  local left = tonumber(f[1] or DEFAULT_QUANTUM)
  if left > 0 then return left, now end
  local next_free = tonumber(f[2] or 0) + math.ceil(tonumber(f[4]) / tonumber(f[3]))
  if next_free <= now then return 1, now end
  return 0, next_free
end

-- How many calls may pass now, and when the next one may where none can.
local function room_at(gate, limit, now)
  local left, next_left = room_left(gate, now)
  if not limit or left == 0 then return left, next_left end
  local key = passed_key(gate)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', int(now - limit.period - GUARD_MS))
  local free = limit.count - redis.call('ZCARD', key)
  if free > 0 then return math.min(free, left), now end
  -- A limit that shrank leaves more calls in the window than it allows: wait for as many as are over.
  local blocking = redis.call('ZRANGE', key, -free, -free, 'WITHSCORES')
  return 0, tonumber(blocking[2]) + limit.period + GUARD_MS + 1
end

-- The places that the window has, and when it has another. `room_at` has looked just before.
local function window_places(gate, limit)
  return limit.count - redis.call('ZCARD', passed_key(gate))
end

local function next_place_at(gate, limit)
  local oldest = lowest(passed_key(gate))
  return oldest and oldest + limit.period + GUARD_MS + 1 or math.huge
end

local function note_passed(gate, limit, now)
  local key = gate_key(gate)
  local slot = redis.call('HINCRBY', key, 'slots', 1)
  if redis.call('HEXISTS', key, 'left') == 1 then
    redis.call('HINCRBY', key, 'left', -1)
    redis.call('HSET', key, 'passed_at', int(now))
  end
  if limit then
    redis.call('ZADD', passed_key(gate), int(now), slot)
    redis.call('PEXPIRE', passed_key(gate), int(limit.period + 60000))
  end
  return slot
end
